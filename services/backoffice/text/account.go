package text

// AccountTexts has the texts about the own account, and about setting a password.
type AccountTexts interface {
	OwnSessions() string
	Device() string
	UnknownDevice() string
	SessionStarted() string
	ThisSession() string
	EndSession() string
	SessionEnded() string
	Preferences() string

	ChangePassword() string
	ChangePasswordHint() string
	CurrentPassword() string
	NewPassword() string
	PasswordHint() string
	PasswordChanged() string

	SetPassword() string
	SetupToken() string
	SetupTokenHint() string
	PasswordSet() string
}
