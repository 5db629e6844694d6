package backoffice

func (s *service) orderRoutes() []route { return nil }
