package text

func (english) SkipToContent() string { return "Skip to content" }
func (english) Navigation() string    { return "Main" }
func (english) Pages() string         { return "Pages" }
func (english) PreviousPage() string  { return "Previous" }
func (english) NextPage() string      { return "Next" }
func (english) Search() string        { return "Search" }
func (english) Filter() string        { return "Filter" }
func (english) Clear() string         { return "Clear" }
func (english) Save() string          { return "Save" }
func (english) Cancel() string        { return "Cancel" }
func (english) Edit() string          { return "Edit" }
func (english) Delete() string        { return "Delete" }
func (english) Back() string          { return "Back" }
func (english) Saved() string         { return "Saved." }
func (english) Actions() string       { return "Actions" }
func (english) Optional() string      { return "Optional." }
func (english) Required() string      { return "Fill this in." }

func (english) MoreThan(amount string) string { return "more than " + amount }

func (english) Home() string       { return "Home" }
func (english) Orders() string     { return "Orders" }
func (english) Products() string   { return "Products" }
func (english) Customers() string  { return "Customers" }
func (english) Team() string       { return "Team" }
func (english) LogIn() string      { return "Log in" }
func (english) LogOut() string     { return "Log out" }
func (english) LoggedOut() string  { return "You are logged out." }
func (english) Username() string   { return "User name" }
func (english) Password() string   { return "Password" }
func (english) FillInBoth() string { return "Fill in both fields." }
func (english) NeedsHTTPS() string {
	return "This page was not opened over HTTPS, so the browser will not keep you logged in. Open it with https://."
}

func (english) SessionEndedKept() string {
	return "Your session had ended, so nothing was saved. Your form is kept: log in, then send it."
}
func (english) LoggedInAgain() string { return "You are logged in again" }
func (english) NothingWasSent() string {
	return "Your form is kept, but not sent yet."
}
func (english) SendNow() string { return "Send it now" }

func (english) Account() string  { return "Account" }
func (english) Language() string { return "Language" }
func (english) TimeZone() string { return "Time zone" }
func (english) TimeZoneHint() string {
	return "Such as America/Argentina/Buenos_Aires. Leave it empty for the time zone of the browser."
}
func (english) UnknownTimeZone() string { return "There is no such time zone." }

func (english) Role(role string) string {
	switch role {
	case "viewer":
		return "Viewer"
	case "operator":
		return "Operator"
	case "manager":
		return "Manager"
	case "admin":
		return "Administrator"
	}
	return role
}
