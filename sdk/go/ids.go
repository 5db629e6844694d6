package pedidos

// IDs of resources. Each has its own type, so that none is passed as another. They are at least 1 and at most 2^53 - 1.
type (
	CustomerID   int64
	ProductID    int64
	OrderID      int64
	UserID       int64
	IntegratorID int64
	KeyID        int64
	SessionID    int64
)
