package wire

import (
	"bytes"
	"sync"

	"github.com/Shopify/toxiproxy/v2/toxics"
)

// tap is the toxic that reads along in one direction of all connections of a wire, and loses what is to be lost.
type tap struct {
	*opening
	up bool // the direction from client to server
}

// opening is what the taps of both directions share. The proxy opens one connection at a time, and starts its way up first:
// so both directions get the same state.
type opening struct {
	*ledger
	mysql bool
	last  *conn
}

// conn is one connection, as its two taps see it.
type conn struct {
	release chan struct{} // closed when a connection that was held back is to end
	met     *Fault        // the last one, for the ledger

	mu       sync.Mutex
	said     []byte // by the client since the last answer; to MySQL, since the transaction began
	answered bool   // since then
	packet   []byte // of MySQL's protocol, as far as it is there
	fate     Kind   // of the next answer
	answers  int    // to the statements that COMMIT came with, and to COMMIT: the last is the one to lose
	answer   []byte // of MySQL's protocol, as far as it is there
	held     bool   // nothing passes any more
}

func (c *conn) isHeld() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held
}

// NewState is called once for each direction of a connection.
func (t *tap) NewState() any {
	if t.up {
		t.last = &conn{release: make(chan struct{})}
	}
	return t.last
}

// Pipe passes on what comes in until the connection ends, or another toxic is to be put in.
func (t *tap) Pipe(stub *toxics.ToxicStub) {
	c := stub.State.(*conn)
	for input := stub.Input; ; {
		select {
		case <-stub.Interrupt:
			return
		case <-c.release:
			end(stub)
			return
		case chunk := <-input:
			switch {
			case chunk == nil && c.isHeld():
				input = nil
			case chunk == nil:
				stub.Close()
				return
			default:
				switch t.read(c, chunk.Data) {
				case pass:
					stub.Output <- chunk
				case die:
					end(stub)
					return
				}
			}
		}
	}
}

// end closes a connection. The proxy hands on what still comes in until it notices.
func end(stub *toxics.ToxicStub) {
	stub.Close()
	for range stub.Input {
	}
}

// verdict is what happens to bytes.
type verdict int

const (
	pass verdict = iota
	swallow
	die // with the connection
)

func (t *tap) read(c *conn, data []byte) verdict {
	t.meet(c)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.held:
		return swallow
	case !t.up:
		return t.readAnswer(c, data)
	case t.mysql:
		return t.readStatements(c, data)
	}
	if c.answered {
		c.said, c.answered = nil, false
	}
	c.said = append(c.said, data...)
	return pass
}

func (t *tap) readAnswer(c *conn, data []byte) verdict {
	if !t.mysql && !c.answered {
		c.answered, c.fate = true, t.take(c.said, AnswerLost)
	}
	switch {
	case c.fate == "":
		return pass
	case c.fate == CommitAnswerLost && !c.committed(data): // else the server would end before it commits
		return swallow
	}
	return t.lose(c)
}

// committed reads what MySQL says, and reports whether it has answered COMMIT, or a statement before it with an error.
func (c *conn) committed(data []byte) bool {
	c.answer = append(c.answer, data...)
	for {
		payload, rest, ok := cutPacket(c.answer)
		if !ok {
			return false
		}
		c.answer, c.answers = rest, c.answers-1
		if c.answers <= 0 || len(payload) > 0 && payload[0] == errPacket {
			return true
		}
	}
}

// lose does to a connection what was to be done to it.
func (t *tap) lose(c *conn) verdict {
	t.lost(c.fate)
	switch c.fate {
	case CommitHeld, CommitAnswerHeld:
		c.held = true
		t.hold(c)
		return swallow
	}
	return die
}

// Of MySQL's client/server protocol: a packet is its length in three bytes, its number in an exchange, and a payload that
// starts, in the first packet of an exchange, with the command.
const (
	packetHeader = 4
	comQuery     = 0x03
	errPacket    = 0xff
)

// cutPacket returns the first packet, if all of it is there.
func cutPacket(data []byte) (payload, rest []byte, ok bool) {
	if len(data) <= packetHeader {
		return nil, data, false
	}
	end := packetHeader + (int(data[0]) | int(data[1])<<8 | int(data[2])<<16)
	if len(data) < end {
		return nil, data, false
	}
	return data[packetHeader:end], data[end:], true
}

// readStatements reads what is said to MySQL, packet by packet, whatever pieces it comes in.
func (t *tap) readStatements(c *conn, data []byte) verdict {
	c.packet = append(c.packet, data...)
	for {
		payload, rest, ok := cutPacket(c.packet)
		if !ok {
			break
		}
		number := c.packet[3]
		c.packet = rest
		if number != 0 {
			continue
		}
		c.said = append(c.said, payload...)
		query, isQuery := bytes.CutPrefix(payload, []byte{comQuery})
		commits := string(query) == "COMMIT" || bytes.HasSuffix(query, []byte(";\nCOMMIT")) // alone, or behind the last statement
		switch {
		case isQuery && commits:
			c.answers, c.answer = 1+bytes.Count(query, []byte(";\nCOMMIT")), nil
			c.fate = t.take(c.said, CommitLost, CommitHeld, CommitAnswerLost, CommitAnswerHeld)
			c.said = nil
			if c.fate == CommitLost || c.fate == CommitHeld {
				return t.lose(c)
			}
		case isQuery && string(query) == "ROLLBACK":
			c.said = nil
		}
	}
	return pass
}

// mute is the toxic that lets nothing through, not even the end of the connection, until it is taken away.
type mute struct{}

// Pipe swallows what comes in.
func (*mute) Pipe(stub *toxics.ToxicStub) {
	for input := stub.Input; ; {
		select {
		case <-stub.Interrupt:
			return
		case chunk := <-input:
			if chunk == nil {
				input = nil
			}
		}
	}
}

// Cleanup ends the connection: what was swallowed can't be made up for.
func (*mute) Cleanup(stub *toxics.ToxicStub) { stub.Close() }
