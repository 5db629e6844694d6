package text

import (
	"net/http"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/backoffice/locale"
)

func (english) Reference() string { return "Reference:" }
func (english) ToHome() string    { return "To the home page" }

func (english) Failure(status int) (title, hint string) {
	switch status {
	case http.StatusForbidden:
		return "Not allowed", "Your role may not do this. An administrator can change your role."
	case http.StatusMisdirectedRequest:
		return "Another address", "This address is not served here. Open the one that the program printed when it started."
	case http.StatusNotFound:
		return "Not found", "This page does not exist. It may have been deleted, or the link is incomplete."
	case http.StatusMethodNotAllowed:
		return "Not possible", "This address can't be used in this way. Go back and use the buttons of the page."
	case http.StatusRequestEntityTooLarge:
		return "Too large", "What you sent is too large. Send less at once."
	case http.StatusBadRequest:
		return "Not understood", "Something in the address or the form is not valid. Go back and try again."
	case http.StatusTooManyRequests:
		return "Too many requests", "Wait a moment and try again."
	case http.StatusServiceUnavailable:
		return "Not available right now", "A part of the system does not answer. Nothing is lost; try again in a few seconds."
	}
	return "Something failed", "It was our fault and has been recorded. Try again; if it happens again, tell your administrator the reference."
}

func (english) CrossOrigin() string {
	return "The form came from another site and was not accepted. Open the page here and send it again."
}

func (english) Unclear(code common.ProblemCode, wait string) string {
	switch {
	case code == common.CodeTooManyRequests && wait != "":
		return "Too many attempts. Wait " + wait + " and try again."
	case code == common.CodeTooManyRequests:
		return "Too many attempts. Wait a moment and try again."
	case code == common.CodeRequestInProgress:
		return "This is still being processed. Send it again in a moment: it takes effect only once."
	}
	return "There was no answer, so this may or may not have taken effect. Send it again: it takes effect only once."
}

func (english) Problem(code common.ProblemCode, detail string) string {
	switch code {
	case common.CodeInvalidInput:
		return "Nothing was saved. Correct the marked fields."
	case common.CodeInvalidCredentials:
		return "The user name or the password is wrong."
	case common.CodePreconditionFailed:
		return "This has changed since you opened it. Your changes were not saved: compare them with the current values, and save again."
	case common.CodeIdempotencyKeyReused:
		return "This form was sent before, with other content. Check what was saved then. To save this as well, send it again."
	case common.CodeEmailTaken:
		return "Nothing was saved. Another customer has this e-mail address."
	case common.CodeSKUTaken:
		return "Nothing was saved. Another product has this SKU."
	case common.CodeUsernameTaken:
		return "Nothing was saved. Another user has this user name."
	case common.CodeIntegratorNameTaken:
		return "Nothing was saved. Another integrator has this name."
	case common.CodeLastAdmin:
		return "Nothing was saved. This is the last active administrator."
	case common.CodeCustomerNotFound:
		return "The customer does not exist, or was deleted."
	case common.CodeProductNotFound:
		return "One or more products do not exist."
	case common.CodeOrderNotFound:
		return "The order does not exist."
	case common.CodeInsufficientStock:
		return "There is too little stock. Nothing was saved."
	case common.CodeProductArchived:
		return "One or more products are archived and can't be ordered."
	case common.CodeOrderCanceled:
		return "The order is canceled."
	case common.CodeCancelWindowOver:
		return "The time in which a confirmed order can be canceled is over."
	case common.CodeTotalTooLarge:
		return "The total of the order is too large."
	}
	return detail
}

func (english) Fault(message string) string {
	return sentence(grouped(locale.English, translate(message, toEnglish)))
}

func (english) Now(value string) string { return "Now: " + value }
