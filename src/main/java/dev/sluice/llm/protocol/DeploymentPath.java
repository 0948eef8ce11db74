package dev.sluice.llm.protocol;

import java.util.regex.Pattern;

/**
 * Path of a deployment of Azure OpenAI, whose name stands for that of a model.
 *
 * @param deployment name of the deployment
 * @param path path of the same operation at OpenAI: {@code /v1/chat/completions}
 *
 * @see <a href="https://learn.microsoft.com/azure/ai-foundry/openai/reference">Azure OpenAI: REST API reference</a>
 */
public record DeploymentPath(String deployment, String path) {

    private static final Pattern PATTERN = Pattern.compile("/openai/deployments/([A-Za-z0-9_-][A-Za-z0-9._-]{0,63})(/.+)");

    /**
     * Parses a path.
     *
     * @param provider the provider that is called
     * @param path a path, as received and without the query
     * @return the path of a deployment; null if it is another one
     */
    public static DeploymentPath parse(Provider provider, String path) {
        var matcher = PATTERN.matcher(path);
        return provider.is(ProviderType.OPENAI) && matcher.matches() && !matcher.group(1).contains("..")
                ? new DeploymentPath(matcher.group(1), provider.version() + matcher.group(2))
                : null;
    }

    /**
     * Returns the operation of a request to this path.
     *
     * @param provider the provider that is called
     * @param method the HTTP method
     * @return the operation, with the deployment as its model
     */
    public ProviderOperation operation(Provider provider, String method) {
        var operation = ProviderOperation.of(provider, method, path);
        return operation.kind() == ProviderOperation.Kind.CALL || operation.kind() == ProviderOperation.Kind.FREE
                ? new ProviderOperation(operation.kind(), operation.shape(), deployment, operation.streaming())
                : operation;
    }
}
