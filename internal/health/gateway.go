package health

func gatewayAPI() map[string]check {
	const group = "gateway.networking.k8s.io"
	return merged(
		each(group, byConditions("No controller has taken the class yet",
			isFalse("Accepted", Progressing).because("Pending", "Waiting"), isFalse("Accepted", Degraded),
			isUnknown("Accepted"), isTrue("Accepted", Healthy)), "GatewayClass"),
		each(group, always(gateway), "Gateway", "ListenerSet", "XListenerSet"),
		each("gateway.networking.x-k8s.io", always(gateway), "XListenerSet"),
		each(group, always(route), "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"),
		each(group, withStatus(policy), "BackendTLSPolicy", "BackendLBPolicy"),
	)
}

// gateway asks that the specification was taken and that the data plane serves it, listener for listener.
func gateway(obj map[string]any) Result {
	for _, listener := range items(obj, "status", "listeners") {
		if result, ok := firstOf(obj, conditionsAt(listener, "conditions"), []when{
			isFalse("Accepted", Degraded), isFalse("ResolvedRefs", Degraded), isTrue("Conflicted", Degraded),
			isFalse("Programmed", Progressing).because("Pending"), isFalse("Programmed", Degraded),
		}); ok && result.Status != Healthy {
			result.Message = because("Listener "+text(listener, "name"), result.Message)
			return result
		}
	}
	if result, ok := firstOf(obj, conditions(obj), []when{
		isFalse("Accepted", Progressing).because("Pending", "Waiting"), isFalse("Accepted", Degraded), isUnknown("Accepted"),
		isFalse("Programmed", Progressing).because("Pending", "AddressNotAssigned"), isFalse("Programmed", Degraded),
		isUnknown("Programmed"), isTrue("Programmed", Healthy),
	}); ok {
		return result
	}
	return say(Progressing, "No controller has taken the gateway yet")
}

// route is healthy when every gateway that it names has taken it and found what it points to.
func route(obj map[string]any) Result {
	parents := items(obj, "status", "parents")
	if len(parents) == 0 {
		return say(Progressing, "No gateway has taken the route yet")
	}
	waiting := Result{Status: Healthy}
	for _, parent := range parents {
		result, ok := firstOf(obj, conditionsAt(parent, "conditions"), []when{
			isFalse("Accepted", Progressing).because("Pending"), isFalse("Accepted", Degraded), isFalse("ResolvedRefs", Degraded),
			isTrue("PartiallyInvalid", Degraded), isUnknown("Accepted"), isTrue("Accepted", Healthy),
		})
		if !ok {
			result = say(Progressing, "it has not answered yet")
		}
		if result.Status == Healthy {
			continue
		}
		result.Message = because("Gateway "+text(parent, "parentRef", "name"), result.Message)
		if result.Status == Degraded {
			return result
		}
		waiting = result
	}
	return waiting
}

func policy(obj map[string]any) (Result, bool) {
	ancestors := items(obj, "status", "ancestors")
	for _, ancestor := range ancestors {
		if result, ok := firstOf(obj, conditionsAt(ancestor, "conditions"), []when{isFalse("Accepted", Degraded), isFalse("ResolvedRefs", Degraded)}); ok {
			result.Message = because(text(ancestor, "ancestorRef", "kind")+" "+text(ancestor, "ancestorRef", "name"), result.Message)
			return result, true
		}
	}
	if len(ancestors) == 0 {
		return say(Progressing, "No gateway has taken the policy yet"), true
	}
	return Result{Status: Healthy}, true
}
