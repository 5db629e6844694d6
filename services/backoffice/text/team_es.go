package text

func (spanish) Users() string       { return "Usuarios" }
func (spanish) Integrators() string { return "Integradores" }
func (spanish) AuditLog() string    { return "Auditoría" }

func (spanish) RoleLabel() string { return "Rol" }
func (spanish) RoleHint() string {
	return "Solo lectura: consulta. Operador: además, pedidos y stock. Encargado: además, productos y clientes. Administrador: además, el equipo."
}
func (spanish) ChooseRole() string     { return "Elegir un rol" }
func (spanish) StateLabel() string     { return "Estado" }
func (spanish) IsActive() string       { return "Activo" }
func (spanish) IsDisabled() string     { return "Deshabilitado" }
func (spanish) AwaitsPassword() string { return "Sin contraseña aún" }
func (spanish) CreatedOn() string      { return "Creado" }
func (spanish) LastUsed() string       { return "Último uso" }
func (spanish) NeverUsed() string      { return "Sin uso" }
func (spanish) Access() string         { return "Acceso" }
func (spanish) Enable() string         { return "Habilitar" }
func (spanish) Disable() string        { return "Deshabilitar" }
func (spanish) EnabledNotice() string  { return "Se habilitó." }
func (spanish) DisabledNotice() string {
	return "Se deshabilitó. Se puede deshacer en cualquier momento."
}
func (spanish) ShownOnce() string               { return "Copiar ahora: se muestra una sola vez" }
func (spanish) CopyIt() string                  { return "Copiar" }
func (spanish) Copied() string                  { return "Copiado" }
func (spanish) EnableTitle(name string) string  { return "¿Habilitar a " + name + "?" }
func (spanish) DisableTitle(name string) string { return "¿Deshabilitar a " + name + "?" }
func (spanish) EnableUserHint() string {
	return "Esta persona podrá iniciar sesión de nuevo, con la misma contraseña y el mismo rol."
}
func (spanish) DisableUserHint() string {
	return "Esta persona ya no podrá iniciar sesión, y todas sus sesiones terminan ahora. Lo que hizo queda como está. Se puede volver a habilitar."
}
func (spanish) EnableIntegratorHint() string {
	return "Sus claves de API vuelven a funcionar, salvo las revocadas y las vencidas."
}
func (spanish) DisableIntegratorHint() string {
	return "Todas sus claves de API se rechazan en 5 segundos. Sus pedidos quedan como están. Se puede volver a habilitar."
}

func (spanish) NewUser() string { return "Nuevo usuario" }
func (spanish) NewUserHint() string {
	return "Al crearlo se obtiene un enlace con el que la persona elige su contraseña."
}
func (spanish) CreateUser() string { return "Crear usuario" }
func (spanish) UsernameHint() string {
	return "Para iniciar sesión, por ejemplo ana. Después no se puede cambiar."
}
func (spanish) NeverLoggedIn() string { return "Nunca" }
func (spanish) LastLogin() string     { return "Último ingreso" }
func (spanish) NewRoleHint() string {
	return "Si cambia el rol, esta persona tiene que iniciar sesión de nuevo."
}
func (spanish) WhatTheyDid() string { return "Ver en la auditoría" }
func (spanish) ToUser() string      { return "Ir al usuario" }

func (spanish) NewSetupLink() string             { return "Nuevo enlace de contraseña" }
func (spanish) MakeSetupLink() string            { return "Crear enlace" }
func (spanish) ResetTitle(name string) string    { return "¿Nueva contraseña para " + name + "?" }
func (spanish) SetupLinkOf(name string) string   { return "Enlace de contraseña para " + name }
func (spanish) SetupUsername(name string) string { return "Usuario para iniciar sesión: " + name }
func (spanish) ResetHint() string {
	return "Se obtiene un enlace con el que esta persona elige una contraseña nueva en 24 horas. Todas sus sesiones terminan ahora, y los enlaces anteriores dejan de funcionar. La contraseña actual sirve hasta entonces: si otros pueden conocerla, deshabilitar antes al usuario."
}
func (spanish) SetupLinkHint(name, until string) string {
	return "Entregar este enlace a " + name + " por un medio que nadie más pueda leer. Sirve para elegir la contraseña una vez, hasta " + until + "."
}
func (spanish) SetupLinkGone() string {
	return "Esto ya se hizo antes, y el enlace ya se mostró. No se guarda en ningún lado; si se perdió, crear uno nuevo."
}

func (spanish) Integrator() string    { return "Integrador" }
func (spanish) NewIntegrator() string { return "Nuevo integrador" }
func (spanish) NewIntegratorHint() string {
	return "Un integrador es un programa, por ejemplo un ERP, que usa la API con claves."
}
func (spanish) CreateIntegrator() string { return "Crear integrador" }
func (spanish) IntegratorCreated() string {
	return "Se creó el integrador. Ahora, crear una clave."
}
func (spanish) NoIntegrators() string { return "Todavía no hay integradores" }
func (spanish) NoIntegratorsHint() string {
	return "Acá se listan los programas que usan la API, como un ERP o una tienda, con sus claves."
}

func (spanish) Keys() string                      { return "Claves de API" }
func (spanish) KeyLabel() string                  { return "Clave" }
func (spanish) NewKey() string                    { return "Nueva clave" }
func (spanish) NewKeyOf(integrator string) string { return "Nueva clave para " + integrator }
func (spanish) KeyNameHint() string               { return "Dónde se usa, por ejemplo producción." }
func (spanish) KeyExpires() string                { return "Vence" }
func (spanish) KeyUntil(day string) string        { return "hasta " + day }
func (spanish) NeverExpires() string              { return "Sin límite" }
func (spanish) LastDay() string                   { return "Último día" }
func (spanish) LastDayHint() string {
	return "Opcional. Sin fecha, la clave sirve hasta que se revoque."
}
func (spanish) CreateKey() string           { return "Crear clave" }
func (spanish) KeyTitle(name string) string { return "Clave " + name }
func (spanish) KeyHint(integrator string) string {
	return "Quien tiene esta clave actúa como " + integrator + ". Guardarla como una contraseña."
}
func (spanish) KeyUse() string { return "El programa la envía en cada solicitud, en el encabezado" }
func (spanish) KeyGone() string {
	return "Esta clave ya se creó antes, y ya se mostró. No se guarda en ningún lado: si se perdió, revocarla y crear otra."
}
func (spanish) ToKeys() string       { return "Ir a las claves" }
func (spanish) NoKeys() string       { return "Todavía no hay claves" }
func (spanish) NoKeysHint() string   { return "Sin una clave, este programa no puede usar la API." }
func (spanish) KeyIsValid() string   { return "Vigente" }
func (spanish) KeyIsRevoked() string { return "Revocada" }
func (spanish) KeyIsExpired() string { return "Vencida" }
func (spanish) Revoke() string       { return "Revocar" }
func (spanish) RevokeTitle(name string) string {
	return "¿Revocar la clave " + name + "?"
}
func (spanish) RevokeHint() string {
	return "Un programa que todavía use esta clave se rechaza en 5 segundos. No se puede deshacer; para reemplazar una clave, crear antes la nueva."
}
func (spanish) KeyRevoked() string { return "Se revocó la clave." }

func (spanish) AuditActor() string     { return "Quién" }
func (spanish) AuditActorHint() string { return "Usuario" }
func (spanish) AuditAction() string    { return "Qué" }
func (spanish) AnyAction() string      { return "Todo" }
func (spanish) AuditAddress() string   { return "Dirección" }
func (spanish) AuditWhen() string      { return "Cuándo" }
func (spanish) AuditFrom() string      { return "Desde" }
func (spanish) AuditTo() string        { return "Hasta" }
func (spanish) NoAuditHint() string {
	return "Acá se listan los cambios de usuarios, integradores, claves y sesiones. Elegir otras fechas, o limpiar el filtro."
}

func (spanish) AuditDone(action string) string {
	switch action {
	case "user.created":
		return "Usuario creado"
	case "user.changed":
		return "Usuario modificado"
	case "user.reset":
		return "Enlace de contraseña creado"
	case "user.password_set":
		return "Contraseña elegida"
	case "user.password_changed":
		return "Contraseña cambiada"
	case "session.started":
		return "Inicio de sesión"
	case "session.ended":
		return "Sesión terminada"
	case "integrator.created":
		return "Integrador creado"
	case "integrator.changed":
		return "Integrador modificado"
	case "key.created":
		return "Clave creada"
	case "key.revoked":
		return "Clave revocada"
	case "signing_key.created":
		return "Clave de firma creada"
	}
	return action
}

func (spanish) AuditTarget(kind, id string) string {
	switch kind {
	case "user":
		return id
	case "signing_key":
		return ""
	}
	return "número " + id
}

func (spanish) AuditField(field string) string {
	switch field {
	case "name":
		return "Nombre"
	case "role":
		return "Rol"
	case "state":
		return "Estado"
	case "integrator":
		return "Integrador"
	}
	return field
}

func (t spanish) AuditValue(field, value string) string { return auditValue(t, field, value) }
