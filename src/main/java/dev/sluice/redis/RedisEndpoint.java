package dev.sluice.redis;

import java.net.InetAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import io.vertx.core.Future;

/**
 * URLs of Redis servers as text. {@link java.net.URI} reads no host from {@code redis://my_redis}, and so neither Quarkus nor
 * Vert.x does: such a name passes through them {@linkplain #encode encoded} and is resolved for each connection.
 */
public final class RedisEndpoint {

    private static final Pattern AUTHORITY = Pattern.compile("(//(?:[^@/]*@)?)(\\[[^\\]/]*\\]|[^:/?]*)([^/?]*)");

    /** Last label of an encoded host name, after the name as hexadecimal digits. */
    private static final String ENCODED = ".underscored";

    private static final int DEFAULT_PORT = 6379;

    private RedisEndpoint() {
    }

    /** Replaces a host name with an underscore by one that {@link java.net.URI} can read. */
    public static String encode(String endpoint) {
        var host = host(endpoint);
        return host.indexOf('_') < 0
                ? endpoint
                : withHost(endpoint, HexFormat.of().formatHex(host.getBytes(StandardCharsets.UTF_8)) + ENCODED);
    }

    private static String decode(String host) {
        return host.endsWith(ENCODED)
                ? new String(HexFormat.of().parseHex(host, 0, host.length() - ENCODED.length()), StandardCharsets.UTF_8)
                : host;
    }

    private static String withHost(String endpoint, String host) {
        return AUTHORITY.matcher(endpoint).replaceFirst("$1" + Matcher.quoteReplacement(host) + "$3");
    }

    /** Returns the host; an IPv6 address with its brackets. */
    static String host(String endpoint) {
        var authority = AUTHORITY.matcher(endpoint);
        return authority.find() ? authority.group(2) : "";
    }

    /**
     * Returns host and port, or the path of a socket, for the log: without user, password and parameters. Empty if the URL cannot
     * be read.
     */
    static Optional<String> logAddress(String endpoint) {
        try {
            var url = URI.create(endpoint);
            if ("unix".equals(url.getScheme())) {
                return Optional.ofNullable(url.getPath());
            }
            var host = url.getHost();
            return host == null
                    ? Optional.empty()
                    : Optional.of(address(decode(host), Integer.toString(url.getPort() < 0 ? DEFAULT_PORT : url.getPort())));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Replaces host and port; keeps the user info and the rest. */
    static String withAddress(String endpoint, String address) {
        return AUTHORITY.matcher(endpoint).replaceFirst("$1" + Matcher.quoteReplacement(address));
    }

    /**
     * Returns the address of a Sentinel: without a database, and with the given credentials in place of those of the endpoint.
     *
     * @param user null for the default user
     * @param password null to keep the credentials
     */
    static String ofSentinel(String endpoint, @Nullable String user, @Nullable String password) {
        var withoutDatabase = endpoint.replaceFirst("^([a-z]+://[^/?]*).*", "$1");
        return password == null
                ? withoutDatabase
                : withoutDatabase.replaceFirst("//(?:[^@/]*@)?",
                        Matcher.quoteReplacement(
                                "//" + percentEncoded(user == null ? "" : user) + ':' + percentEncoded(password) + '@'));
    }

    private static String percentEncoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
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
        var host = decode(host(endpoint));
        return host.indexOf('_') < 0
                ? Future.succeededFuture(endpoint)
                : resolver.apply(host).map(address -> withHost(endpoint, bracketed(address.getHostAddress())));
    }
}
