// Package document reads out of the documents what tests then try.
package document

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Section is what a document says below a heading, down to the next one.
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

// withoutBlocks blanks the blocks, in which a # is no heading.
func withoutBlocks(text string) string {
	return block.ReplaceAllStringFunc(text, func(b string) string { return strings.Repeat(" ", len(b)) })
}

// Blocks are the blocks of a language in a text.
func Blocks(text, language string) (blocks []string) {
	for _, found := range block.FindAllStringSubmatch(text, -1) {
		if found[1] == language {
			blocks = append(blocks, found[2])
		}
	}
	return blocks
}
