package text

func (spanish) Customer() string        { return "Cliente" }
func (spanish) NewCustomer() string     { return "Nuevo cliente" }
func (spanish) EditCustomer() string    { return "Editar cliente" }
func (spanish) CreateCustomer() string  { return "Crear cliente" }
func (spanish) CustomerCreated() string { return "Se creó el cliente." }
func (spanish) CustomerDeleted() string {
	return "Se eliminó el cliente. Sus pedidos se conservan."
}
func (spanish) DeleteCustomer() string { return "Eliminar cliente" }
func (spanish) DeleteCustomerHint(name string) string {
	return name + " ya no podrá hacer pedidos y sale de la lista. Sus pedidos se conservan, y su correo queda libre. No se puede deshacer."
}
func (spanish) SearchCustomers() string { return "Nombre o correo" }
func (spanish) NoCustomers() string     { return "Todavía no hay clientes" }
func (spanish) NoCustomersHint() string {
	return "Los pedidos se hacen para clientes. Crear el primero para empezar."
}
func (spanish) NoMatch() string     { return "Sin resultados" }
func (spanish) NoMatchHint() string { return "Buscar con menos texto, o limpiar la búsqueda." }
func (spanish) MoreToSearch() string {
	return "Acá no hay nada; la búsqueda sigue en la página siguiente."
}
func (spanish) Name() string  { return "Nombre" }
func (spanish) Email() string { return "Correo electrónico" }
func (spanish) Phone() string { return "Teléfono" }
func (spanish) Since() string { return "Cliente desde" }

func (spanish) OrdersOfYear() string { return "pedidos en los últimos 12 meses, sin los cancelados" }
func (spanish) OrdersOfNewest(n string) string {
	return "de los " + n + " pedidos más nuevos, sin los cancelados"
}
func (spanish) TheirTotal() string       { return "su total" }
func (spanish) OfThemToConfirm() string  { return "de ellos por confirmar" }
func (spanish) LastOfThem() string       { return "el último de ellos" }
func (spanish) NoCustomerOrders() string { return "Todavía no hay pedidos" }
func (spanish) NoCustomerOrdersHint() string {
	return "Los pedidos de este cliente aparecen acá, los más nuevos primero."
}
func (spanish) NoOrderWithStatus() string { return "Este cliente no tiene pedidos con ese estado." }
