package v1alpha1

import (
	"k8s.io/apimachinery/pkg/util/intstr"
)

// ApplicationSetStrategy says in which order generated Applications are synchronized and deleted.
type ApplicationSetStrategy struct {
	// Type is AllAtOnce, the default, or RollingSync.
	Type string `json:"type,omitempty" protobuf:"bytes,1,opt,name=type"`
	// RollingSync holds the steps of RollingSync.
	RollingSync *ApplicationSetRolloutStrategy `json:"rollingSync,omitempty" protobuf:"bytes,2,opt,name=rollingSync"`
	// DeletionOrder is AllAtOnce, the default, or Reverse: the last step first.
	DeletionOrder string `json:"deletionOrder,omitempty" protobuf:"bytes,3,opt,name=deletionOrder"`
}

// ApplicationSetRolloutStrategy holds the steps of a rollout.
type ApplicationSetRolloutStrategy struct {
	// Steps are taken in order. The next begins when all Applications of the one before are
	// healthy. An Application that matches no step is not synchronized.
	Steps []ApplicationSetRolloutStep `json:"steps,omitempty" protobuf:"bytes,1,opt,name=steps"`
}

// ApplicationSetRolloutStep is one step of a rollout.
type ApplicationSetRolloutStep struct {
	// MatchExpressions pick Applications by their labels. All of them must match; none picks every
	// one.
	MatchExpressions []ApplicationMatchExpression `json:"matchExpressions,omitempty" protobuf:"bytes,1,opt,name=matchExpressions"`
	// MaxUpdate is how many Applications of the step may be synchronized at the same time, as a
	// number or as a percentage that is rounded down, though not to zero. Default: all. Zero: none.
	MaxUpdate *intstr.IntOrString `json:"maxUpdate,omitempty" protobuf:"bytes,2,opt,name=maxUpdate"`
}

// ApplicationMatchExpression is a condition on a label.
type ApplicationMatchExpression struct {
	// Key is the key of the label.
	Key string `json:"key,omitempty" protobuf:"bytes,1,opt,name=key"`
	// Operator is In or NotIn.
	Operator string `json:"operator,omitempty" protobuf:"bytes,2,opt,name=operator"`
	// Values are what its value is looked for in.
	Values []string `json:"values,omitempty" protobuf:"bytes,3,opt,name=values"`
}

// Values of ApplicationSetStrategy.
const (
	// ApplicationSetStrategyAllAtOnce treats all Applications at the same time.
	ApplicationSetStrategyAllAtOnce = "AllAtOnce"
	// ApplicationSetStrategyRollingSync synchronizes them in steps.
	ApplicationSetStrategyRollingSync = "RollingSync"
	// ApplicationSetDeletionOrderReverse deletes them in steps, the last step first.
	ApplicationSetDeletionOrderReverse = "Reverse"
)
