// Package requests sends generated requests to every operation of the contracts: valid ones, and ones with values at and beyond each
// bound, of another type, missing, unknown or oddly encoded. Every exchange is checked against the contract, and no request may be answered
// with 5xx. rapid shrinks a request that fails.
//
//	go test ./e2e/requests                                   some thousand requests, the same ones in each run
//	go test ./e2e/requests -rapid.seed=7                     other requests; -rapid.seed=0 draws new ones in each run
//	go test ./e2e/requests -v -args -long -engine=mysql      more than 100,000 requests, on MySQL
package requests

import (
	"flag"
	"os"
	"testing"
)

var long = flag.Bool("long", false, "send more than 100,000 requests")

func TestMain(m *testing.M) {
	flag.Parse()
	defaults := map[string]string{
		"rapid.checks": "80", "rapid.seed": "1", "rapid.shrinktime": "20s",
		"rapid.nofailfile": "true", // the seed reproduces a failure
	}
	if *long {
		defaults["rapid.checks"] = "1700" // of each operation
	}
	for name, value := range defaults {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	flag.Parse() // again, so that the command line overrides the defaults
	os.Exit(m.Run())
}
