package health

func karpenter() map[string]check {
	return merged(
		each("karpenter.sh", byConditions("The node pool has not been looked at yet",
			isFalse("ValidationSucceeded", Degraded), isFalse("NodeClassReady", Degraded), isFalse("Ready", Degraded),
			isUnknown("Ready"), isTrue("Ready", Healthy)), "NodePool"),
		each("karpenter.sh", byConditions("The node has not been launched yet",
			isFalse("Launched", Degraded), isFalse("Registered", Progressing), isFalse("Initialized", Progressing),
			isFalse("Ready", Progressing), isUnknown("Ready"), isTrue("Ready", Healthy)), "NodeClaim"),
		each("karpenter.k8s.aws", byConditions("The node class has not been looked at yet",
			isFalse("SubnetsReady", Degraded), isFalse("SecurityGroupsReady", Degraded), isFalse("AMIsReady", Degraded),
			isFalse("InstanceProfileReady", Degraded), isFalse("ValidationSucceeded", Degraded), isFalse("Ready", Degraded),
			isUnknown("Ready"), isTrue("Ready", Healthy)), "EC2NodeClass"),
		each("karpenter.azure.com", ready("The node class has not been looked at yet"), "AKSNodeClass"),
		each("karpenter.k8s.gcp", ready("The node class has not been looked at yet"), "GCENodeClass"),
	)
}
