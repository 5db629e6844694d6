package text

// TeamTexts has the texts about users, integrators and the audit log.
type TeamTexts interface{}
