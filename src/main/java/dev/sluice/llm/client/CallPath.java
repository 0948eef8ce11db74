package dev.sluice.llm.client;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import dev.sluice.llm.protocol.ProviderOperation.Kind;

/** Maps a REST client's request path to a provider operation, wherever the provider's API begins in it. */
final class CallPath {

    private CallPath() {
    }

    /**
     * Returns the operation of a request.
     *
     * @param path the path as sent, without the query: {@code /some/prefix/v1/chat/completions}
     */
    static ProviderOperation operation(Provider provider, String method, String path) {
        int start = path == null ? -1 : path.lastIndexOf('/');
        while (start >= 0 && provider.version(path.substring(start)) == null) {
            start = start == 0 ? -1 : path.lastIndexOf('/', start - 1);
        }
        return ProviderOperation.of(provider, method, start < 0 ? "" : path.substring(start));
    }

    /** Returns whether a request counts as an LLM call. An unknown operation counts if it is a POST. */
    static boolean isCounted(ProviderOperation operation, String method) {
        return operation.kind() == Kind.CALL || operation.kind() == Kind.UNKNOWN && method.equals("POST");
    }
}
