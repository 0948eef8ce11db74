package dev.sluice.llm.client;

import dev.sluice.llm.protocol.DeploymentPath;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import dev.sluice.llm.protocol.ProviderOperation.Kind;
import dev.sluice.llm.protocol.ProviderType;

/** Maps a REST client's request path to a provider operation, wherever the provider's API begins in it. */
final class CallPath {

    private static final String DEPLOYMENTS = "/openai/deployments/";

    private CallPath() {
    }

    /**
     * Returns the operation of a request. Of a provider of the type openai, the path may contain a deployment of Azure's, or another
     * version than the type's: {@code /v1beta/openai/chat/completions}.
     *
     * @param path the path as sent, without the query: {@code /some/prefix/v1/chat/completions}
     */
    static ProviderOperation operation(Provider provider, String method, String path) {
        if (path == null) {
            return ProviderOperation.of(provider, method, "");
        }
        int deployments = path.indexOf(DEPLOYMENTS);
        var deployment = deployments < 0 ? null : DeploymentPath.parse(provider, path.substring(deployments));
        if (deployment != null) {
            return deployment.operation(provider, method);
        }
        for (int start = path.lastIndexOf('/'); start >= 0; start = path.lastIndexOf('/', start - 1)) {
            if (provider.version(path.substring(start)) != null) {
                return ProviderOperation.of(provider, method, path.substring(start));
            }
        }
        return provider.is(ProviderType.OPENAI)
                ? behindAnyVersion(provider, method, path)
                : ProviderOperation.of(provider, method, "");
    }

    private static ProviderOperation behindAnyVersion(Provider provider, String method, String path) {
        for (int start = path.indexOf('/'); start >= 0; start = path.indexOf('/', start + 1)) {
            var operation = ProviderOperation.of(provider, method, provider.version() + path.substring(start));
            if (operation.kind() != Kind.UNKNOWN) {
                return operation;
            }
        }
        return ProviderOperation.of(provider, method, "");
    }

    /** Returns whether a request counts as an LLM call. An unknown operation counts if it is a POST. */
    static boolean isCounted(ProviderOperation operation, String method) {
        return operation.kind() == Kind.CALL || operation.kind() == Kind.UNKNOWN && method.equals("POST");
    }
}
