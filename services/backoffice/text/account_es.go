package text

func (spanish) OwnSessions() string    { return "Sesiones propias" }
func (spanish) Device() string         { return "Dispositivo" }
func (spanish) UnknownDevice() string  { return "Dispositivo desconocido" }
func (spanish) SessionStarted() string { return "Inicio" }
func (spanish) ThisSession() string    { return "Esta" }
func (spanish) EndSession() string     { return "Terminar" }
func (spanish) SessionEnded() string   { return "Se terminó la sesión." }
func (spanish) Preferences() string    { return "Idioma y hora" }

func (spanish) ChangePassword() string     { return "Cambiar contraseña" }
func (spanish) ChangePasswordHint() string { return "Las demás sesiones propias terminan." }
func (spanish) CurrentPassword() string    { return "Contraseña actual" }
func (spanish) NewPassword() string        { return "Contraseña nueva" }
func (spanish) PasswordHint() string {
	return "Al menos 10 caracteres de cualquier tipo, por ejemplo unas palabras."
}
func (spanish) PasswordChanged() string {
	return "Se cambió la contraseña. Las demás sesiones terminaron."
}

func (spanish) SetPassword() string { return "Elegir contraseña" }
func (spanish) SetupToken() string  { return "Código del enlace" }
func (spanish) SetupTokenHint() string {
	return "Del enlace que entregó el administrador: completo, o lo que sigue al #."
}
func (spanish) PasswordSet() string { return "Se guardó la contraseña. Iniciar sesión con ella." }
