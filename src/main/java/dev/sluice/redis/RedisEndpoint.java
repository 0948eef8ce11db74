package dev.sluice.redis;

import java.net.InetAddress;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.vertx.core.Future;

/** URLs of Redis servers as text: {@link java.net.URI} does not read host names with an underscore, and so Vert.x does not. */
final class RedisEndpoint {

    private static final Pattern AUTHORITY = Pattern.compile("(//(?:[^@/]*@)?)(\\[[^\\]/]*\\]|[^:/?]*)([^/?]*)");

    private RedisEndpoint() {
    }

    /** Returns the host; an IPv6 address with its brackets. */
    static String host(String endpoint) {
        var authority = AUTHORITY.matcher(endpoint);
        return authority.find() ? authority.group(2) : "";
    }

    /** Replaces host and port; keeps the user info and the rest. */
    static String withAddress(String endpoint, String address) {
        return AUTHORITY.matcher(endpoint).replaceFirst("$1" + Matcher.quoteReplacement(address));
    }

    /** Returns {@code host:port}, with an IPv6 address in brackets. */
    static String address(String host, String port) {
        return bracketed(host) + ':' + port;
    }

    private static String bracketed(String host) {
        return host.indexOf(':') >= 0 && !host.startsWith("[") ? '[' + host + ']' : host;
    }

    /**
     * Replaces a host name with an underscore by its address, which Vert.x can read. Must be called for each connection, since
     * the address may change.
     */
    static Future<String> resolve(String endpoint, Function<String, Future<InetAddress>> resolver) {
        var host = host(endpoint);
        if (host.indexOf('_') < 0) {
            return Future.succeededFuture(endpoint);
        }
        return resolver.apply(host).map(address -> AUTHORITY.matcher(endpoint)
                .replaceFirst("$1" + Matcher.quoteReplacement(bracketed(address.getHostAddress())) + "$3"));
    }
}
