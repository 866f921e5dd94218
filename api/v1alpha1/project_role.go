package v1alpha1

// ProjectRole is a named set of permissions.
type ProjectRole struct {
	// Name is the name of the role.
	Name string `json:"name" protobuf:"bytes,1,opt,name=name"`
	// Description is for people.
	Description string `json:"description,omitempty" protobuf:"bytes,2,opt,name=description"`
	// Policies are lines in the policy syntax of Casbin, each of the form p, proj:<project>:<role>,
	// <resource>, <action>, <project>/<object>, <allow or deny>.
	Policies []string `json:"policies,omitempty" protobuf:"bytes,3,rep,name=policies"`
	// JWTTokens are tokens that were issued for the role.
	JWTTokens []JWTToken `json:"jwtTokens,omitempty" protobuf:"bytes,4,rep,name=jwtTokens"`
	// Groups are groups of the identity provider whose members have the role.
	Groups []string `json:"groups,omitempty" protobuf:"bytes,5,rep,name=groups"`
}

// JWTTokens is a list of tokens.
type JWTTokens struct {
	// Items are the tokens.
	Items []JWTToken `json:"items,omitempty" protobuf:"bytes,1,opt,name=items"`
}

// JWTToken remembers a token that was issued. The token itself is not kept.
type JWTToken struct {
	// IssuedAt is when it was issued, in seconds since 1970.
	IssuedAt int64 `json:"iat" protobuf:"int64,1,opt,name=iat"`
	// ExpiresAt is when it ends, in seconds since 1970. Zero means never.
	ExpiresAt int64 `json:"exp,omitempty" protobuf:"int64,2,opt,name=exp"`
	// ID identifies the token.
	ID string `json:"id,omitempty" protobuf:"bytes,3,opt,name=id"`
}
