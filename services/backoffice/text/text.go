// Package text has the texts of the pages in English and Spanish. A text that one of the languages lacks does not compile.
package text

import (
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/backoffice/locale"
)

// Texts are the texts in one language.
type Texts interface {
	Common
	Failures
	HomeTexts
	OrdersTexts
	NewOrderTexts
	ProductsTexts
	CustomersTexts
	TeamTexts
	AccountTexts
}

// For returns the texts in a language.
func For(lang locale.Lang) Texts {
	if lang == locale.Spanish {
		return spanish{}
	}
	return english{}
}

// Name returns the name of a language, in that language.
func Name(lang locale.Lang) string {
	if lang == locale.Spanish {
		return "Español"
	}
	return "English"
}

type (
	english struct{}
	spanish struct{}
)

// Common has the texts of the frame, of forms and of lists.
type Common interface {
	SkipToContent() string
	Navigation() string
	Pages() string
	PreviousPage() string
	NextPage() string
	Search() string
	Filter() string
	Clear() string
	Save() string
	Cancel() string
	Edit() string
	Delete() string
	Back() string
	Saved() string
	Actions() string
	Optional() string
	Required() string
	MoreThan(amount string) string

	Home() string
	Orders() string
	Products() string
	Customers() string
	Team() string
	LogIn() string
	LogOut() string
	LoggedOut() string
	Username() string
	Password() string
	NeedsHTTPS() string
	FillInBoth() string
	SessionEndedKept() string
	LoggedInAgain() string
	NothingWasSent() string
	SendNow() string

	Account() string
	Language() string
	TimeZone() string
	TimeZoneHint() string
	UnknownTimeZone() string
	Role(role string) string
}

// Failures has the texts for what goes wrong.
type Failures interface {
	Reference() string
	ToHome() string

	// Failure returns the title of the page for a failed request, and a hint what to do now.
	Failure(status int) (title, hint string)
	CrossOrigin() string

	// Unclear says that it is unknown whether a form took effect, and when to send it again. Wait may be empty.
	Unclear(code common.ProblemCode, wait string) string

	// Problem says why a form was refused. Detail is the sentence of the API, in English.
	Problem(code common.ProblemCode, detail string) string

	// Fault says what is wrong with a field. Message is that of the API, in English.
	Fault(message string) string

	// Now says the present value of a field.
	Now(value string) string
}
