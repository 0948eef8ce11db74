package dev.sluice.service.proxy.connection;

import java.util.Locale;
import java.util.regex.Pattern;

import javax.net.ssl.SNIHostName;

/**
 * Base URL of an upstream. Unlike {@link java.net.URI}, accepts host names with underscores, which are common in container
 * networks.
 *
 * @param tls whether the scheme is https
 * @param host host name or IP address, without brackets
 * @param port TCP port
 * @param path path that precedes the path of each request, without a slash at its end; may be empty
 */
public record UpstreamUrl(boolean tls, String host, int port, String path) {

    private static final Pattern URL = Pattern.compile(
            "(?i)(https?)://(\\[[0-9a-f:.]+]|[a-z0-9._-]+)(?::([0-9]{1,5}))?(/[!$&-;=@-Z_a-z~%]*)?");

    /**
     * Parses a URL.
     *
     * @param text {@code http://host[:port][/path]} or {@code https://…}, without user, query and fragment
     * @return the URL; null if the text is not such a URL
     */
    public static UpstreamUrl parse(String text) {
        var url = URL.matcher(text);
        if (!url.matches()) {
            return null;
        }
        boolean tls = url.group(1).equalsIgnoreCase("https");
        int port = url.group(3) == null ? tls ? 443 : 80 : Integer.parseInt(url.group(3));
        if (port < 1 || port > 65535) {
            return null;
        }
        var host = url.group(2).toLowerCase(Locale.ROOT);
        var path = url.group(4) == null ? "" : url.group(4);
        return new UpstreamUrl(tls, host.startsWith("[") ? host.substring(1, host.length() - 1) : host, port,
                path.endsWith("/") ? path.substring(0, path.length() - 1) : path);
    }

    /** Returns a URL with another path. */
    public UpstreamUrl withPath(String newPath) {
        return new UpstreamUrl(tls, host, port, newPath);
    }

    /** Returns whether the host is an IP address. */
    boolean isIpAddress() {
        return host.indexOf(':') >= 0 || host.matches("[0-9]+(\\.[0-9]+){3}");
    }

    /** Returns the host as certificates name it: without the dot that ends an absolute name. */
    String certificateName() {
        return host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
    }

    /** Returns whether TLS can tell the server the host name (SNI, RFC 6066, section 3). It cannot if that has an underscore. */
    boolean isServerName() {
        if (isIpAddress()) {
            return false;
        }
        try {
            new SNIHostName(certificateName());
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** Returns host and port as in the Host header; without the port if it is that of the scheme. */
    public String authority() {
        var name = host.indexOf(':') >= 0 ? '[' + host + ']' : host;
        return port == (tls ? 443 : 80) ? name : name + ':' + port;
    }

    /** Returns scheme, host and port. */
    @Override
    public String toString() {
        return (tls ? "https://" : "http://") + authority();
    }
}
