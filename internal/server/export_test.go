package server

// Patterns gives the pattern of each call, and whether it is public.
func Patterns() map[string]bool {
	patterns := map[string]bool{}
	for _, r := range (&Server{}).routes() {
		patterns[r.pattern] = r.public
	}
	return patterns
}

// Streams counts the subscriptions.
func (s *Server) Streams() int { return s.hub.count() }

// WholeRunes is the length of a text without a character at its end that is not complete.
var WholeRunes = wholeRunes

// HookBytes is how much the bodies of webhooks take at the moment.
func (s *Server) HookBytes() int64 { return s.hookBytes.Load() }
