package text

import (
	"net/http"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/backoffice/locale"
)

func (spanish) Reference() string { return "Referencia:" }
func (spanish) ToHome() string    { return "Ir al inicio" }

func (spanish) Failure(status int) (title, hint string) {
	switch status {
	case http.StatusForbidden:
		return "No permitido", "Este rol no puede hacer esto. Un administrador puede cambiar el rol."
	case http.StatusMisdirectedRequest:
		return "Otra dirección", "Esta dirección no se atiende acá. Abrir la que mostró el programa al arrancar."
	case http.StatusNotFound:
		return "No encontrado", "No hay nada en esta dirección. Puede haberse eliminado, o el enlace está incompleto."
	case http.StatusMethodNotAllowed:
		return "No es posible", "Esta dirección no se usa así. Volver y usar los botones de la página."
	case http.StatusRequestEntityTooLarge:
		return "Demasiado grande", "Lo enviado es demasiado grande. Enviar menos de una vez."
	case http.StatusBadRequest:
		return "No se entiende", "La dirección o el formulario tiene algo que no corresponde. Volver e intentar de nuevo."
	case http.StatusTooManyRequests:
		return "Demasiadas solicitudes", "Esperar un momento e intentar de nuevo."
	case http.StatusServiceUnavailable:
		return "No disponible por ahora", "Una parte del sistema no responde. No se perdió nada; intentar de nuevo en unos segundos."
	}
	return "Algo falló", "Fue un error del sistema y quedó registrado. Intentar de nuevo; si se repite, dar la referencia al administrador."
}

func (spanish) CrossOrigin() string {
	return "El formulario vino de otro sitio y no se aceptó. Abrir la página acá y enviarlo de nuevo."
}

func (spanish) Unclear(code common.ProblemCode, wait string) string {
	switch {
	case code == common.CodeTooManyRequests && wait != "":
		return "Demasiados intentos. Esperar " + wait + " e intentar de nuevo."
	case code == common.CodeTooManyRequests:
		return "Demasiados intentos. Esperar un momento e intentar de nuevo."
	case code == common.CodeRequestInProgress:
		return "Todavía se está procesando. Enviarlo de nuevo en un momento: tiene efecto una sola vez."
	}
	return "No hubo respuesta a tiempo, y no se sabe si tuvo efecto. Enviarlo de nuevo: tiene efecto una sola vez."
}

func (spanish) Problem(code common.ProblemCode, detail string) string {
	switch code {
	case common.CodeInvalidInput:
		return "No se guardó nada. Corregir los campos marcados."
	case common.CodeInvalidCredentials:
		return "El usuario o la contraseña no son correctos."
	case common.CodePreconditionFailed:
		return "Esto cambió desde que se abrió. No se guardó nada de lo escrito; comparar con los valores actuales y guardar de nuevo."
	case common.CodeIdempotencyKeyReused:
		return "Este formulario ya se envió con otro contenido. Ver si eso es lo que se quería; para guardar también esto, enviarlo de nuevo."
	case common.CodeEmailTaken:
		return "No se guardó nada. Otro cliente tiene ese correo electrónico."
	case common.CodeSKUTaken:
		return "No se guardó nada. Otro producto tiene ese SKU."
	case common.CodeUsernameTaken:
		return "No se guardó nada. Otra persona tiene ese usuario."
	case common.CodeIntegratorNameTaken:
		return "No se guardó nada. Otro integrador tiene ese nombre."
	case common.CodeLastAdmin:
		return "No se guardó nada. Es el último administrador activo."
	case common.CodeCustomerNotFound:
		return "El cliente no existe o fue eliminado."
	case common.CodeProductNotFound:
		return "Uno o más productos no existen."
	case common.CodeOrderNotFound:
		return "El pedido no existe."
	case common.CodeInsufficientStock:
		return "No hay stock suficiente. No se guardó nada."
	case common.CodeProductArchived:
		return "Uno o más productos están archivados y no se pueden pedir."
	case common.CodeOrderCanceled:
		return "El pedido está cancelado."
	case common.CodeCancelWindowOver:
		return "Pasó el tiempo en que se puede cancelar un pedido confirmado."
	case common.CodeTotalTooLarge:
		return "El total del pedido es demasiado grande."
	}
	return detail
}

func (spanish) Fault(message string) string {
	return sentence(grouped(locale.Spanish, translate(message, toSpanish)))
}

func (spanish) Now(value string) string { return "Ahora: " + value }
