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
        int begin = path == null ? -1 : path.lastIndexOf('/');
        while (begin >= 0 && provider.version(path.substring(begin)) == null) {
            begin = begin == 0 ? -1 : path.lastIndexOf('/', begin - 1);
        }
        return ProviderOperation.of(provider, method, begin < 0 ? "" : path.substring(begin));
    }

    /** Whether it is a call: one that nobody knows is, if something is posted. */
    static boolean counts(ProviderOperation operation, String method) {
        return operation.kind() == Kind.CALL || operation.kind() == Kind.UNKNOWN && method.equals("POST");
    }
}
