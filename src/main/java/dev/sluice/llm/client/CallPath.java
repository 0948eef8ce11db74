package dev.sluice.llm.client;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import dev.sluice.llm.protocol.ProviderOperation.Kind;

/** What the path of a call to a provider says, wherever the provider's API begins in it. */
final class CallPath {

    private CallPath() {
    }

    /** @param path as it is sent, without the query: {@code /some/prefix/v1/chat/completions} */
    static ProviderOperation operation(Provider provider, String method, String path) {
        int start = path == null ? -1 : path.lastIndexOf('/');
        while (start >= 0 && provider.version(path.substring(start)) == null) {
            start = start == 0 ? -1 : path.lastIndexOf('/', start - 1);
        }
        return ProviderOperation.of(provider, method, start < 0 ? "" : path.substring(start));
    }

    /** Whether it is a call: one that nobody knows is, if something is posted. */
    static boolean isCounted(ProviderOperation operation, String method) {
        return operation.kind() == Kind.CALL || operation.kind() == Kind.UNKNOWN && method.equals("POST");
    }
}
