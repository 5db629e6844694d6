package text

func (english) Users() string       { return "Users" }
func (english) Integrators() string { return "Integrators" }
func (english) AuditLog() string    { return "Audit log" }

func (english) RoleLabel() string { return "Role" }
func (english) RoleHint() string {
	return "A viewer reads. An operator also handles orders and stock; a manager also products and customers; an administrator also the team."
}
func (english) ChooseRole() string              { return "Choose a role" }
func (english) StateLabel() string              { return "State" }
func (english) IsActive() string                { return "Active" }
func (english) IsDisabled() string              { return "Disabled" }
func (english) AwaitsPassword() string          { return "No password yet" }
func (english) CreatedOn() string               { return "Created" }
func (english) LastUsed() string                { return "Last used" }
func (english) NeverUsed() string               { return "Never used" }
func (english) Access() string                  { return "Access" }
func (english) Enable() string                  { return "Enable" }
func (english) Disable() string                 { return "Disable" }
func (english) EnabledNotice() string           { return "Enabled." }
func (english) DisabledNotice() string          { return "Disabled. This can be undone at any time." }
func (english) ShownOnce() string               { return "Copy it now: it is shown only once" }
func (english) CopyIt() string                  { return "Copy" }
func (english) Copied() string                  { return "Copied" }
func (english) EnableTitle(name string) string  { return "Enable " + name + "?" }
func (english) DisableTitle(name string) string { return "Disable " + name + "?" }
func (english) EnableUserHint() string {
	return "This person can log in again, with the same password and role."
}
func (english) DisableUserHint() string {
	return "This person can't log in any more, and all of their sessions end now. You can enable them again."
}
func (english) EnableIntegratorHint() string {
	return "Its API keys work again. Revoked and expired keys still don't."
}
func (english) DisableIntegratorHint() string {
	return "All of its API keys are refused within 5 seconds. Its orders stay as they are. You can enable it again."
}

func (english) NewUser() string     { return "New user" }
func (english) NewUserHint() string { return "You get a link with which the person sets a password." }
func (english) CreateUser() string  { return "Create user" }
func (english) UsernameHint() string {
	return "To log in with, such as ana. It can't be changed later."
}
func (english) NeverLoggedIn() string { return "Never" }
func (english) LastLogin() string     { return "Last login" }
func (english) NewRoleHint() string   { return "If you change the role, this person must log in again." }
func (english) WhatTheyDid() string   { return "Entries in the audit log" }
func (english) ToUser() string        { return "Go to the user" }

func (english) NewSetupLink() string             { return "New password link" }
func (english) MakeSetupLink() string            { return "Create link" }
func (english) ResetTitle(name string) string    { return "New password for " + name + "?" }
func (english) SetupLinkOf(name string) string   { return "Password link for " + name }
func (english) SetupUsername(name string) string { return "User name to log in with: " + name }
func (english) ResetHint() string {
	return "You get a link with which this person sets a new password within 24 hours. All of their sessions end now, and earlier links stop working. The old password works until the new one is set: if others may know it, disable the user first."
}
func (english) SetupLinkHint(name, until string) string {
	return "Send this link to " + name + " where nobody else can read it. It sets a password once, until " + until + "."
}
func (english) SetupLinkGone() string {
	return "This link was shown before and is not stored. If you lost it, create a new one."
}

func (english) Integrator() string    { return "Integrator" }
func (english) NewIntegrator() string { return "New integrator" }
func (english) NewIntegratorHint() string {
	return "An integrator is a program, such as an ERP, that uses the API with keys."
}
func (english) CreateIntegrator() string { return "Create integrator" }
func (english) IntegratorCreated() string {
	return "Integrator created. Next, create a key for it."
}
func (english) NoIntegrators() string { return "No integrators yet" }
func (english) NoIntegratorsHint() string {
	return "Programs that use the API, such as an ERP or a shop, are listed here with their keys."
}

func (english) Keys() string                      { return "API keys" }
func (english) KeyLabel() string                  { return "Key" }
func (english) NewKey() string                    { return "New key" }
func (english) NewKeyOf(integrator string) string { return "New key for " + integrator }
func (english) KeyNameHint() string               { return "Where it is used, such as production." }
func (english) KeyExpires() string                { return "Expires" }
func (english) KeyUntil(day string) string        { return "until " + day }
func (english) NeverExpires() string              { return "No limit" }
func (english) LastDay() string                   { return "Last day" }
func (english) LastDayHint() string {
	return "Optional. Without it, the key works until it is revoked."
}
func (english) CreateKey() string           { return "Create key" }
func (english) KeyTitle(name string) string { return "Key " + name }
func (english) KeyHint(integrator string) string {
	return "Whoever has this key acts as " + integrator + ". Keep it as you keep a password."
}
func (english) KeyUse() string { return "The program sends it in each request, in the header" }
func (english) KeyGone() string {
	return "This key was shown before and is not stored. If you lost it, revoke it and create another one."
}
func (english) ToKeys() string       { return "Go to the keys" }
func (english) NoKeys() string       { return "No keys yet" }
func (english) NoKeysHint() string   { return "Without a key, this program can't use the API." }
func (english) KeyIsValid() string   { return "Valid" }
func (english) KeyIsRevoked() string { return "Revoked" }
func (english) KeyIsExpired() string { return "Expired" }
func (english) Revoke() string       { return "Revoke" }
func (english) RevokeTitle(name string) string {
	return "Revoke the key " + name + "?"
}
func (english) RevokeHint() string {
	return "A program that still uses this key is refused within 5 seconds. This can't be undone; to replace a key, create the new one first."
}
func (english) KeyRevoked() string { return "Key revoked." }

func (english) AuditActor() string     { return "Who" }
func (english) AuditActorHint() string { return "User name" }
func (english) AuditAction() string    { return "What" }
func (english) AnyAction() string      { return "Anything" }
func (english) AuditAddress() string   { return "Address" }
func (english) AuditWhen() string      { return "When" }
func (english) AuditFrom() string      { return "From" }
func (english) AuditTo() string        { return "Until" }
func (english) NoAuditHint() string {
	return "Changes of users, integrators, keys and sessions are listed here. Choose other dates, or clear the filter."
}

func (english) AuditDone(action string) string {
	switch action {
	case "user.created":
		return "User created"
	case "user.changed":
		return "User changed"
	case "user.reset":
		return "Password link created"
	case "user.password_set":
		return "Password set"
	case "user.password_changed":
		return "Password changed"
	case "session.started":
		return "Session started"
	case "session.ended":
		return "Session ended"
	case "integrator.created":
		return "Integrator created"
	case "integrator.changed":
		return "Integrator changed"
	case "key.created":
		return "Key created"
	case "key.revoked":
		return "Key revoked"
	case "signing_key.created":
		return "Signing key created"
	}
	return action
}

func (english) AuditTarget(kind, id string) string {
	switch kind {
	case "user":
		return id
	case "signing_key":
		return ""
	}
	return "number " + id
}

func (english) AuditField(field string) string {
	switch field {
	case "name":
		return "Name"
	case "role":
		return "Role"
	case "state":
		return "State"
	case "integrator":
		return "Integrator"
	}
	return field
}

func (t english) AuditValue(field, value string) string { return auditValue(t, field, value) }
