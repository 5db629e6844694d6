package process

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/modules/mysql"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/pedidos-hq/pedidos/e2e/program"
)

// TestDatabaseTLS connects with each setting of DB_TLS to a MySQL that requires encryption, and to one that offers none. A
// setting that cannot work must fail at once, without waiting for the database.
func TestDatabaseTLS(t *testing.T) {
	const password = "tls-database-password"
	if err := os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil { // Cleanup removes the container
		t.Fatal(err)
	}
	t.Parallel()
	ctx := t.Context()
	server, err := mysql.Run(ctx, "mysql:9.7",
		mysql.WithUsername("root"), mysql.WithPassword(password), mysql.WithDatabase("pedidos"),
		testcontainers.WithCmd("mysqld", "--require-secure-transport=ON"),
		testcontainers.WithWaitStrategy(wait.ForNop(func(context.Context, wait.StrategyTarget) error { return nil })), // DB_WAIT waits
	)
	if server != nil {
		t.Cleanup(func() { _ = server.Terminate(context.WithoutCancel(ctx)) })
	}
	if err != nil && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	port, err := server.MappedPort(ctx, "3306/tcp")
	if err != nil {
		t.Fatal(err)
	}
	at := net.JoinHostPort("127.0.0.1", port.Port())
	migrate := func(address, mode, ca string) program.Result {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		return program.Run(t, []string{
			"DB_HOST=" + host, "DB_PORT=" + port, "DB_USER=root", "DB_PASSWORD=" + password, "DB_NAME=pedidos",
			"DB_TLS=" + mode, "DB_TLS_CA=" + ca,
		}, "migrate", "up")
	}
	for tries := 0; ; tries++ { // the server may still be initializing
		r := migrate(at, "required", "")
		if r.Code == 0 {
			break
		}
		if tries == 3 {
			t.Fatalf("required: %s", r.Stderr)
		}
	}

	folder := t.TempDir()
	right, wrong, none := filepath.Join(folder, "ca.pem"), filepath.Join(folder, "other.pem"), filepath.Join(folder, "none.pem")
	copied, err := server.CopyFileFromContainer(ctx, "/var/lib/mysql/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(copied)
	if err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string][]byte{right: text, wrong: authority(t)} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	plain := withoutTLS(t, at)
	for _, test := range []struct{ name, at, mode, ca, refused string }{
		{"off", at, "off", "", "the database requires encryption, but DB_TLS is off: set it to preferred, required or verify-ca"},
		{"preferred", at, "preferred", "", ""},
		{"the default", at, "", "", ""},
		{"required", at, "required", "", ""},
		{"the CA", at, "verify-ca", right, ""},
		{"another CA", at, "verify-ca", wrong, "the certificate of the database is not signed by the CA in DB_TLS_CA: "},
		{"no CA file", at, "verify-ca", none, "read DB_TLS_CA " + none + ": no such file or directory"},
		{"required of a server without TLS", plain, "required", "", "DB_TLS is required, but the database offers no encryption: set up TLS there, or set DB_TLS to preferred or off"},
		{"verified, of a server without TLS", plain, "verify-ca", right, "DB_TLS is verify-ca, but the database offers no encryption: "},
		// It continues without TLS, which this server then refuses.
		{"preferred, of a server without TLS", plain, "preferred", "", "the database requires encryption, but offers none to DB_TLS=preferred"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := migrate(test.at, test.mode, test.ca)
			if test.refused == "" && r.Code != 0 || test.refused != "" && (r.Code != 1 || !strings.Contains(r.Stderr, test.refused)) {
				t.Errorf("exit code %d, want %q\n%s", r.Code, test.refused, r.Stderr)
			}
			if strings.Contains(r.Stderr, "waiting for the database") {
				t.Errorf("it waited for the database\n%s", r.Stderr)
			}
		})
	}
}

// authority returns the certificate of a new CA, in PEM.
func authority(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// withoutTLS returns the address of a proxy to a MySQL server. The proxy removes the offer of TLS from the server's greeting.
func withoutTLS(t *testing.T, server string) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer near.Close()
				far, err := net.Dial("tcp", server)
				if err != nil {
					return
				}
				defer far.Close()
				greeting := make([]byte, 1024)
				n, err := far.Read(greeting)
				if err != nil {
					return
				}
				// The greeting is a header of 4 bytes, the protocol version, the server version terminated by 0, the connection ID
				// of 4 bytes, 8 bytes of salt, a 0 and the capabilities. CLIENT_SSL is 0x0800.
				version := 5
				for greeting[version] != 0 {
					version++
				}
				greeting[version+15] &^= 0x08
				if _, err := near.Write(greeting[:n]); err != nil {
					return
				}
				go func() { _, _ = io.Copy(far, near) }()
				_, _ = io.Copy(near, far)
			}()
		}
	}()
	return listener.Addr().String()
}
