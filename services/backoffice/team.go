package backoffice

func (s *service) teamRoutes() []route { return nil }
