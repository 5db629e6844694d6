// Command lambdazip packs an executable into a zip file for AWS Lambda. The same executable gives the same bytes.
//
//	GOWORK=off go -C tools run ./lambdazip ../bin/bootstrap ../bin/orchestrator-lambda.zip
package main

import (
	"archive/zip"
	"bytes"
	"log"
	"os"
	"time"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: lambdazip EXECUTABLE ZIP")
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		log.Fatal("lambdazip: ", err)
	}
}

// modified is a constant, so that builds are reproducible: the earliest time that a zip file can represent.
var modified = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func run(executable, archive string) error {
	content, err := os.ReadFile(executable)
	if err != nil {
		return err
	}
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: modified}
	header.SetMode(0o755) // independent of the umask
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	file, err := w.CreateHeader(header)
	if err != nil {
		return err
	}
	if _, err := file.Write(content); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(archive, packed.Bytes(), 0o644)
}
