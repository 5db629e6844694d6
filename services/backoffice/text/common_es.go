package text

func (spanish) SkipToContent() string { return "Ir al contenido" }
func (spanish) Navigation() string    { return "Principal" }
func (spanish) Pages() string         { return "Páginas" }
func (spanish) PreviousPage() string  { return "Anterior" }
func (spanish) NextPage() string      { return "Siguiente" }
func (spanish) Search() string        { return "Buscar" }
func (spanish) Filter() string        { return "Filtrar" }
func (spanish) Clear() string         { return "Limpiar" }
func (spanish) Save() string          { return "Guardar" }
func (spanish) Cancel() string        { return "Cancelar" }
func (spanish) Edit() string          { return "Editar" }
func (spanish) Delete() string        { return "Eliminar" }
func (spanish) Back() string          { return "Volver" }
func (spanish) Saved() string         { return "Se guardaron los cambios." }
func (spanish) Actions() string       { return "Acciones" }
func (spanish) Optional() string      { return "Opcional." }
func (spanish) Required() string      { return "Completar este campo." }

func (spanish) MoreThan(amount string) string { return "más de " + amount }

func (spanish) Home() string       { return "Inicio" }
func (spanish) Orders() string     { return "Pedidos" }
func (spanish) Products() string   { return "Productos" }
func (spanish) Customers() string  { return "Clientes" }
func (spanish) Team() string       { return "Equipo" }
func (spanish) LogIn() string      { return "Iniciar sesión" }
func (spanish) LogOut() string     { return "Cerrar sesión" }
func (spanish) LoggedOut() string  { return "Se cerró la sesión." }
func (spanish) Username() string   { return "Usuario" }
func (spanish) Password() string   { return "Contraseña" }
func (spanish) FillInBoth() string { return "Completar los dos campos." }
func (spanish) NeedsHTTPS() string {
	return "Esta página no se abrió con HTTPS, y el navegador no va a conservar la sesión. Abrirla con https://."
}

func (spanish) SessionEndedKept() string {
	return "La sesión terminó antes de enviar el formulario. Todavía no se guardó nada, y lo escrito se conserva: iniciar sesión para seguir."
}
func (spanish) LoggedInAgain() string { return "Sesión iniciada de nuevo" }
func (spanish) NothingWasSent() string {
	return "Todavía no se envió nada. Lo escrito está acá, listo para enviar."
}
func (spanish) SendNow() string { return "Enviar ahora" }

func (spanish) Account() string  { return "Cuenta" }
func (spanish) Language() string { return "Idioma" }
func (spanish) TimeZone() string { return "Zona horaria" }
func (spanish) TimeZoneHint() string {
	return "Por ejemplo America/Argentina/Buenos_Aires. Vacía: la del navegador."
}
func (spanish) UnknownTimeZone() string { return "No existe esa zona horaria." }

func (spanish) Role(role string) string {
	switch role {
	case "viewer":
		return "Solo lectura"
	case "operator":
		return "Operador"
	case "manager":
		return "Encargado"
	case "admin":
		return "Administrador"
	}
	return role
}
