// Package document extracts sections and code blocks from Markdown files, for tests that run them.
package document

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Section returns the text between a heading, such as "### MySQL", and the next heading of any level.
func Section(t testing.TB, file, heading string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut("\n"+string(text), "\n"+heading+"\n")
	if !found {
		t.Fatalf("%s has no %q", file, heading)
	}
	if next := regexp.MustCompile(`(?m)^#{1,6} `).FindStringIndex(withoutBlocks(section)); next != nil {
		section = section[:next[0]]
	}
	return section
}

var block = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// withoutBlocks replaces code blocks with spaces, since a # in them starts no heading.
func withoutBlocks(text string) string {
	return block.ReplaceAllStringFunc(text, func(b string) string { return strings.Repeat(" ", len(b)) })
}

// Blocks returns the contents of the fenced code blocks of a language in a text.
func Blocks(text, language string) []string {
	var blocks []string
	for _, found := range block.FindAllStringSubmatch(text, -1) {
		if found[1] == language {
			blocks = append(blocks, found[2])
		}
	}
	return blocks
}
