package text

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pedidos-hq/pedidos/services/backoffice/locale"
)

// sentence makes a sentence of what an API says about a field, such as "must be at least 1".
func sentence(message string) string {
	first, size := utf8.DecodeRuneInString(message)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(message[size:], ".") + "."
}

// long matches a number of five or more digits.
var long = regexp.MustCompile(`\b\d{5,}\b`)

// grouped separates the thousands in the large numbers of a message.
func grouped(lang locale.Lang, message string) string {
	return long.ReplaceAllStringFunc(message, func(digits string) string {
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return digits
		}
		return locale.New(lang, nil, "").Number(n)
	})
}

// translation replaces a message of an API on a page.
type translation struct {
	api  *regexp.Regexp
	page string
}

// translate returns the translation of what an API says about a field, or the message itself if there is none.
func translate(message string, to []translation) string {
	for _, t := range to {
		if t.api.MatchString(message) {
			return t.api.ReplaceAllString(message, t.page)
		}
	}
	return message
}

// toEnglish replaces the messages that name parts of the API.
var toEnglish = []translation{
	{regexp.MustCompile(`^is not a next_cursor of this list$`), "this page of the list is gone; start from the first"},
}

var toSpanish = []translation{
	{regexp.MustCompile(`^is required$`), "es obligatorio"},
	{regexp.MustCompile(`^is not a next_cursor of this list$`), "esta página de la lista ya no está; empezar por la primera"},
	{regexp.MustCompile(`^is the SKU of another product than product_id$`), "es el SKU de otro producto que el del filtro"},
	{regexp.MustCompile(`^must be at least (\S+)$`), "debe ser al menos $1"},
	{regexp.MustCompile(`^must be at most (\S+)$`), "debe ser como máximo $1"},
	{regexp.MustCompile(`^must have at least (\d+) characters?$`), "debe tener al menos $1 caracteres"},
	{regexp.MustCompile(`^must have at most (\d+) characters?$`), "debe tener como máximo $1 caracteres"},
	{regexp.MustCompile(`^must have at least (\d+) items?$`), "debe tener al menos $1 elementos"},
	{regexp.MustCompile(`^must have at most (\d+) items?$`), "debe tener como máximo $1 elementos"},
	{regexp.MustCompile(`^must be an integer.*$`), "debe ser un número entero"},
	{regexp.MustCompile(`^is out of range$`), "está fuera de rango"},
	{regexp.MustCompile(`^must not contain control characters$`), "no debe tener caracteres de control"},
	{regexp.MustCompile(`^must have no surrounding white space.*$`), "no debe tener espacios al principio ni al final, ni caracteres de control"},
	{regexp.MustCompile(`^must be an e-mail address.*$`), "debe ser un correo electrónico, como compras@acme.example"},
	{regexp.MustCompile(`^must start with a letter or digit.*$`), "debe empezar con una letra o un dígito y tener solo letras, dígitos, puntos, guiones y guiones bajos, como DRILL-18V"},
	{regexp.MustCompile(`^must be one of (.+)$`), "debe ser uno de $1"},
	{regexp.MustCompile(`^must be in the future.*$`), "debe ser un día futuro"},
	{regexp.MustCompile(`^must be a (day|valid date).*$`), "debe ser una fecha, como 2027-01-15"},
	{regexp.MustCompile(`^must not be after to$`), "no debe ser posterior al final"},
	{regexp.MustCompile(`^must be an action.*$`), "debe ser una acción, como user.created"},
	{regexp.MustCompile(`^must be a caller.*$`), "debe ser un usuario o un integrador, como ana o integrator:7"},
	{regexp.MustCompile(`^must not be your name$`), "no debe ser el nombre de la persona"},
	{regexp.MustCompile(`^is one of the most common passwords$`), "es una de las contraseñas más comunes"},
	{regexp.MustCompile(`^is not the current password$`), "no es la contraseña actual"},
	{regexp.MustCompile(`^is not valid: it was used.*$`), "no es válido: se usó, hay uno más nuevo, está mal escrito o tiene más de 24 horas"},
	{regexp.MustCompile(`^raises the stock above (\S+)$`), "deja el stock por encima de $1"},
	{regexp.MustCompile(`^another (customer|product|user|integrator) has it$`), "ya está en uso"},
}
