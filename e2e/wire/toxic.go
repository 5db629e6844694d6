package wire

import (
	"bytes"
	"sync"

	"github.com/Shopify/toxiproxy/v2/toxics"
)

// tap is a toxic that parses one direction of all connections of a wire and applies the losses.
type tap struct {
	*tapState
	up bool // from client to server
}

// tapState is the state that the taps of both directions share. The proxy opens one connection at a time and starts its
// upstream direction first, so NewState can give both directions the same conn.
type tapState struct {
	*faultState
	mysql bool
	last  *conn
}

// conn is the state of one connection, shared by its two taps.
type conn struct {
	release chan struct{} // closed to end a connection that is held
	counted *Fault        // the last fault that countAffected counted it for

	mu       sync.Mutex
	sent     []byte // by the client since the last response; with MySQL, since the transaction began
	answered bool   // whether the response to sent has begun
	packet   []byte // incomplete MySQL packet of the client
	loss     Kind   // applied to the next response
	answers  int    // outstanding, to the statements sent with COMMIT and to COMMIT itself, which is the last
	answer   []byte // incomplete MySQL packet of the server
	held     bool   // all further bytes are dropped
}

func (c *conn) isHeld() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held
}

// NewState returns the state of a connection. The proxy calls it once for each direction.
func (t *tap) NewState() any {
	if t.up {
		t.last = &conn{release: make(chan struct{})}
	}
	return t.last
}

// Pipe forwards data until the connection ends or the proxy interrupts it to change the toxics.
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
				case refuse:
					chunk.Data = refusal
					stub.Output <- chunk
				case disconnect:
					end(stub)
					return
				}
			}
		}
	}
}

// end closes a connection. It drains the input, since the proxy writes to it until it notices.
func end(stub *toxics.ToxicStub) {
	stub.Close()
	for range stub.Input {
	}
}

// verdict says what happens to a chunk of data.
type verdict int

const (
	pass verdict = iota
	drop
	disconnect // drop, and end the connection
	refuse     // replace by refusal
)

// refusal is a packet with error 3101, as the response to a statement.
var refusal = func() []byte {
	payload := append([]byte{errPacket, 3101 & 0xff, 3101 >> 8}, "#40000Plugin instructed the server to rollback the current transaction."...)
	return append([]byte{byte(len(payload)), 0, 0, 1}, payload...)
}()

func (t *tap) read(c *conn, data []byte) verdict {
	t.countAffected(c)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.held:
		return drop
	case !t.up:
		return t.readAnswer(c, data)
	case t.mysql:
		return t.readStatements(c, data)
	}
	if c.answered {
		c.sent, c.answered = nil, false
	}
	c.sent = append(c.sent, data...)
	return pass
}

func (t *tap) readAnswer(c *conn, data []byte) verdict {
	if !t.mysql && !c.answered {
		c.answered, c.loss = true, t.nextLoss(c.sent, AnswerLost)
	}
	switch {
	case c.loss == "":
		return pass
	case (c.loss == CommitAnswerLost || c.loss == CommitRefused) && !c.committed(data):
		return drop // a server that loses its connection earlier does not commit
	}
	return t.applyLoss(c)
}

// committed parses data from MySQL and reports whether it holds the response to COMMIT, or an error of an earlier statement.
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

// applyLoss applies the loss of a connection.
func (t *tap) applyLoss(c *conn) verdict {
	t.countLoss(c.loss)
	switch c.loss {
	case CommitHeld, CommitAnswerHeld:
		c.held = true
		t.hold(c)
		return drop
	case CommitRefused:
		c.loss = ""
		return refuse
	}
	return disconnect
}

// A packet of MySQL's client/server protocol is the length of its payload in three bytes, its sequence number, and the
// payload. The first packet of an exchange has the number 0, and its payload starts with the command.
const (
	packetHeader = 4
	comQuery     = 0x03
	errPacket    = 0xff
)

// cutPacket returns the payload of the first packet and the data after it. It reports false if the packet is incomplete.
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

// readStatements parses the packets of a MySQL client. A packet may arrive in several pieces.
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
		c.sent = append(c.sent, payload...)
		query, isQuery := bytes.CutPrefix(payload, []byte{comQuery})
		commits := string(query) == "COMMIT" || bytes.HasSuffix(query, []byte(";\nCOMMIT")) // alone, or after the last statement
		switch {
		case isQuery && commits:
			c.answers, c.answer = 1+bytes.Count(query, []byte(";\n")), nil // the driver escapes line feeds in values
			c.loss = t.nextLoss(c.sent, CommitLost, CommitHeld, CommitAnswerLost, CommitAnswerHeld, CommitRefused)
			c.sent = nil
			if c.loss == CommitLost || c.loss == CommitHeld {
				return t.applyLoss(c)
			}
		case isQuery && string(query) == "ROLLBACK":
			c.sent = nil
		case isQuery:
			if c.loss = t.nextLoss(c.sent, StatementLost); c.loss != "" {
				return t.applyLoss(c)
			}
		}
	}
	return pass
}

// mute is a toxic that drops everything, even the end of the connection, until it is removed.
type mute struct{}

// Pipe drops its input.
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

// Cleanup ends the connection, since the dropped bytes can't be recovered.
func (*mute) Cleanup(stub *toxics.ToxicStub) { stub.Close() }
