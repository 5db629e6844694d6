package text

import "strings"

// TeamTexts has the texts about users, integrators and the audit log.
type TeamTexts interface {
	Users() string
	Integrators() string
	AuditLog() string

	RoleLabel() string
	RoleHint() string
	ChooseRole() string
	StateLabel() string
	IsActive() string
	IsDisabled() string
	AwaitsPassword() string
	CreatedOn() string
	LastUsed() string
	NeverUsed() string
	Access() string
	Enable() string
	Disable() string
	EnabledNotice() string
	DisabledNotice() string
	EnableTitle(name string) string
	DisableTitle(name string) string
	EnableUserHint() string
	DisableUserHint() string
	EnableIntegratorHint() string
	DisableIntegratorHint() string
	ShownOnce() string
	CopyIt() string
	Copied() string

	NewUser() string
	NewUserHint() string
	CreateUser() string
	UsernameHint() string
	LastLogin() string
	NeverLoggedIn() string
	NewRoleHint() string
	WhatTheyDid() string
	ToUser() string
	NewSetupLink() string
	MakeSetupLink() string
	ResetTitle(name string) string
	ResetHint() string
	SetupLinkOf(name string) string
	SetupLinkHint(name, until string) string
	SetupUsername(username string) string
	SetupLinkGone() string

	Integrator() string
	NewIntegrator() string
	NewIntegratorHint() string
	CreateIntegrator() string
	IntegratorCreated() string
	NoIntegrators() string
	NoIntegratorsHint() string

	Keys() string
	KeyLabel() string
	NewKey() string
	NewKeyOf(integrator string) string
	KeyNameHint() string
	KeyExpires() string
	NeverExpires() string
	KeyUntil(day string) string
	LastDay() string
	LastDayHint() string
	CreateKey() string
	KeyTitle(name string) string
	KeyHint(integrator string) string
	KeyUse() string
	KeyGone() string
	ToKeys() string
	NoKeys() string
	NoKeysHint() string
	KeyIsValid() string
	KeyIsRevoked() string
	KeyIsExpired() string
	Revoke() string
	RevokeTitle(name string) string
	RevokeHint() string
	KeyRevoked() string

	AuditActor() string
	AuditActorHint() string
	AuditAction() string
	AnyAction() string
	AuditWhen() string
	AuditAddress() string
	AuditFrom() string
	AuditTo() string
	NoAuditHint() string

	// AuditDone says what was done, for an action of the API such as user.created.
	AuditDone(action string) string
	AuditField(field string) string

	// AuditTarget returns a name for a target of the API, such as user and ana, or session and 3.
	AuditTarget(kind, id string) string
	AuditValue(field, value string) string
}

// auditValue returns the value of a field of the audit log for people.
func auditValue(t Texts, field, value string) string {
	switch {
	case field == "role":
		return t.Role(value)
	case field == "state" && value == "active":
		return t.IsActive()
	case field == "state" && value == "disabled":
		return t.IsDisabled()
	case field == "integrator":
		return t.AuditTarget("", strings.TrimPrefix(value, "integrator:"))
	}
	return value
}
