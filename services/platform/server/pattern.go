package server

import (
	"errors"
	"regexp"
	"strings"
)

// In ECMA-262, \s matches all white space and line terminators of Unicode, and the dot matches everything except line
// terminators. In RE2, they know ASCII only.
const (
	space    = `\t-\r \x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}`
	notSpace = `\x00-\x08\x0E-\x1F!-\x{9F}\x{A1}-\x{167F}\x{1681}-\x{1FFF}\x{200B}-\x{2027}\x{202A}-\x{202E}` +
		`\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{FEFE}\x{FF00}-\x{10FFFF}`
	notNewline = `[^\n\r\x{2028}\x{2029}]`
)

// fromECMA translates a pattern of a contract, in ECMA-262 with the flag u (OpenAPI 3.0.3, 4.7.24), to RE2. It returns an
// error if RE2 can't express the pattern, such as look-around.
func fromECMA(pattern string) (string, error) {
	var out strings.Builder
	class := false
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '.' && !class:
			out.WriteString(notNewline)
		case c != '\\':
			if c == '[' && class { // a literal in ECMA-262, the start of a named class in RE2
				out.WriteByte('\\')
			}
			class = c == '[' || class && c != ']'
			out.WriteByte(c)
		case i+1 == len(pattern):
			return "", errors.New("ends in a backslash")
		default:
			i++
			switch e := pattern[i]; {
			case e == 's' || e == 'S':
				set := map[byte]string{'s': space, 'S': notSpace}[e]
				if !class {
					set = "[" + set + "]"
				}
				out.WriteString(set)
			case e == 'u' && len(pattern) >= i+5 && pattern[i+1] != '{':
				out.WriteString(`\x{` + pattern[i+1:i+5] + `}`)
				i += 4
			case e == 'u':
				out.WriteString(`\x`)
			case e == '/':
				out.WriteByte(e)
			case strings.IndexByte("AzZQEaCpP", e) >= 0: // unknown to ECMA-262, or with another meaning there
				return "", errors.New(`has the escape \` + string(e))
			default:
				out.WriteByte('\\')
				out.WriteByte(e)
			}
		}
	}
	_, err := regexp.Compile(out.String())
	return out.String(), err
}
