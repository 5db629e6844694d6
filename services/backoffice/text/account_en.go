package text

func (english) OwnSessions() string    { return "Your sessions" }
func (english) Device() string         { return "Device" }
func (english) UnknownDevice() string  { return "Unknown device" }
func (english) SessionStarted() string { return "Started" }
func (english) ThisSession() string    { return "This one" }
func (english) EndSession() string     { return "End" }
func (english) SessionEnded() string   { return "Session ended." }
func (english) Preferences() string    { return "Language and time" }

func (english) ChangePassword() string     { return "Change password" }
func (english) ChangePasswordHint() string { return "Your other sessions end." }
func (english) CurrentPassword() string    { return "Current password" }
func (english) NewPassword() string        { return "New password" }
func (english) PasswordHint() string {
	return "At least 10 characters of any kind, such as a few words."
}
func (english) PasswordChanged() string {
	return "Password changed. Your other sessions have ended."
}

func (english) SetPassword() string { return "Set password" }
func (english) SetupToken() string  { return "Setup token" }
func (english) SetupTokenHint() string {
	return "From the link that an administrator gave you: all of it, or what follows the #."
}
func (english) PasswordSet() string { return "Password set. Log in with it." }
