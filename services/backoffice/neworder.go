package backoffice

func (s *service) newOrderRoutes() []route { return nil }
