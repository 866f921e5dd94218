package access

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/spf13/pflag"
	"golang.org/x/oauth2"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

const (
	// awsPrefix marks a token that an EKS cluster accepts: the rest is a signed request to STS, which the cluster makes
	// to learn who signed it.
	awsPrefix = "k8s-aws-v1."
	// awsClusterHeader is signed with the request, so that a token for one cluster is worth nothing for another.
	awsClusterHeader = "x-k8s-aws-id"
	// awsTokenLife is a little less than the 15 minutes for which EKS accepts a token.
	awsTokenLife = 14 * time.Minute
	// awsRegion is where STS is asked when nothing else names a region.
	awsRegion = "us-east-1"
)

// awsArguments reads the arguments of the helper's command aws.
func awsArguments(args []string) (v1alpha1.AWSAuthConfig, error) {
	var c v1alpha1.AWSAuthConfig
	flags := pflag.NewFlagSet("aws", pflag.ContinueOnError)
	flags.StringVar(&c.ClusterName, "cluster-name", "", "")
	flags.StringVar(&c.RoleARN, "role-arn", "", "")
	flags.StringVar(&c.Profile, "profile", "", "")
	if err := flags.Parse(args); err != nil {
		return c, fmt.Errorf("the arguments of %s in execProviderConfig: %w", argoHelper, err)
	}
	if c.ClusterName == "" {
		return c, errors.New("execProviderConfig names no --cluster-name for aws")
	}
	return c, nil
}

// awsTokens are tokens for an EKS cluster of the identity that this process, a profile or a role has in AWS.
func awsTokens(c v1alpha1.AWSAuthConfig) tokenSource {
	return func(ctx context.Context) (*oauth2.Token, error) {
		options := []func(*config.LoadOptions) error{config.WithDefaultRegion(awsRegion)}
		if c.Profile != "" {
			options = append(options, config.WithSharedConfigProfile(c.Profile))
		}
		loaded, err := config.LoadDefaultConfig(ctx, options...)
		if err != nil {
			return nil, fmt.Errorf("finding the identity of this process in AWS: %w", err)
		}
		client := sts.NewFromConfig(loaded)
		if c.RoleARN != "" {
			loaded.Credentials = stscreds.NewAssumeRoleProvider(client, c.RoleARN)
			client = sts.NewFromConfig(loaded)
		}
		signed, err := sts.NewPresignClient(client).PresignGetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}, func(o *sts.PresignOptions) {
			o.ClientOptions = append(o.ClientOptions, func(o *sts.Options) {
				o.APIOptions = append(o.APIOptions,
					smithyhttp.SetHeaderValue(awsClusterHeader, c.ClusterName),
					smithyhttp.SetHeaderValue("X-Amz-Expires", "60"))
			})
		})
		if err != nil {
			return nil, fmt.Errorf("signing in at AWS for the cluster %s: %w", c.ClusterName, err)
		}
		return &oauth2.Token{
			AccessToken: awsPrefix + base64.RawURLEncoding.EncodeToString([]byte(signed.URL)),
			Expiry:      time.Now().Add(awsTokenLife),
		}, nil
	}
}
