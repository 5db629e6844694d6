package backoffice

func (s *service) productRoutes() []route { return nil }
