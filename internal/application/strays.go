package application

// place is a namespace of a cluster.
type place struct{ server, namespace string }

// strays knows which applications look for orphaned objects, and where.
type strays struct {
	at      map[place]map[string]struct{}
	looking map[string]place
}

func newStrays() strays {
	return strays{at: make(map[place]map[string]struct{}), looking: make(map[string]place)}
}

// look says where an application looks from now on; the zero place for nowhere.
func (s *strays) look(instance string, at place) {
	before, was := s.looking[instance]
	if was && before == at {
		return
	}
	if was {
		delete(s.at[before], instance)
		if len(s.at[before]) == 0 {
			delete(s.at, before)
		}
		delete(s.looking, instance)
	}
	if at == (place{}) {
		return
	}
	s.looking[instance] = at
	if s.at[at] == nil {
		s.at[at] = make(map[string]struct{})
	}
	s.at[at][instance] = struct{}{}
}

// lookForStrays says whether an application wants to hear of objects that belong to nobody in a namespace of the cluster.
func (c *Clusters) lookForStrays(instance string, at place) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.strays.look(instance, at)
}

// strayed looks again at the applications that look for orphaned objects in the namespace.
func (e *entry) strayed(namespace string) {
	e.set.mu.Lock()
	var instances []string
	for instance := range e.set.strays.at[place{e.server, namespace}] {
		instances = append(instances, instance)
	}
	e.set.mu.Unlock()
	e.set.tell(instances, tellStrayed)
}
