package backoffice

import (
	"os"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/backoffice/browser"
)

func TestMain(m *testing.M) { os.Exit(browser.Main(m.Run)) }
