package dev.sluice.service.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

import dev.sluice.config.ConfigProblems;
import dev.sluice.redis.RedisEndpoint;
import io.quarkus.redis.client.RedisHostsProvider;
import io.smallrye.common.annotation.Identifier;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.vertx.core.Vertx;
import io.vertx.core.impl.VertxInternal;

/** Provides the Redis hosts from the environment variables of the service. */
@ApplicationScoped
@Identifier("sluice")
public class RedisHostsFromEnvironment implements RedisHostsProvider {

    /** Settings from {@code REDIS_HOST}, {@code REDIS_PORT}, {@code REDIS_DB}, {@code REDIS_HOSTS} and {@code REDIS_TLS}. */
    @ConfigMapping(prefix = "rate-limit.redis")
    interface Settings {

        /**
         * Redis URLs, separated by commas ({@code redis://}, {@code rediss://} or {@code unix://}); takes precedence over the
         * other settings.
         */
        Optional<List<String>> hosts();

        @WithDefault("localhost")
        String host();

        @WithDefault("6379")
        String port();

        @WithDefault("0")
        String db();

        @WithDefault("false")
        boolean tls();
    }

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final String DEFAULT_PORT = "6379";
    private static final int MAX_PORT = 65535;
    private static final int MAX_DATABASE = 1_000_000;
    private static final String UNIX = "unix";
    private static final Pattern UNDERSCORED = Pattern.compile("(?:[^@]*@)?[A-Za-z0-9_][A-Za-z0-9_.-]*(?::[0-9]{1,5})?");

    private final Settings settings;
    private final String clientType;
    /** Would take the place of the hosts from here. */
    private final boolean replaced;

    RedisHostsFromEnvironment(Settings settings,
            @ConfigProperty(name = "quarkus.redis.rate-limit.client-type") String clientType,
            @ConfigProperty(name = "quarkus.redis.rate-limit.hosts") Optional<String> hosts) {
        this.settings = settings;
        this.replaced = hosts.isPresent();
        this.clientType = clientType.strip();
    }

    @Override
    public Set<URI> getHosts() {
        var hosts = new LinkedHashSet<URI>();
        for (var host : settings.hosts().orElse(List.of())) {
            var uri = uri(host.strip());
            if (uri != null) {
                hosts.add(readable(uri));
            }
        }
        if (hosts.isEmpty()) {
            var single = uri((settings.tls() ? "rediss://" : "redis://") + host() + ':' + port() + '/'
                    + (number(settings.db(), MAX_DATABASE) ? settings.db().strip() : "0"));
            hosts.add(single == null ? URI.create("redis://localhost:" + DEFAULT_PORT) : readable(single));
        }
        return hosts;
    }

    /** Returns the host; an IPv6 address with brackets. */
    private String host() {
        var host = settings.host().strip();
        return host.indexOf(':') >= 0 && !host.startsWith("[") ? '[' + host + ']' : host;
    }

    private String port() {
        var port = settings.port().strip();
        if (port.contains("://")) {
            LOG.warnf("REDIS_PORT is a URL, as Kubernetes sets it for a service named redis, and is ignored; using port %s",
                    DEFAULT_PORT);
            return DEFAULT_PORT;
        }
        return number(port, MAX_PORT) ? port : DEFAULT_PORT;
    }

    private static boolean number(String text, int largest) {
        try {
            int number = Integer.parseInt(text.strip());
            return number >= 0 && number <= largest;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    private static URI uri(String text) {
        try {
            var uri = new URI(text);
            boolean redis = "redis".equals(uri.getScheme()) || "rediss".equals(uri.getScheme());
            return redis && hasHost(uri) && hasValidNumbers(uri) || unix(uri) ? uri : null;
        } catch (URISyntaxException e) {
            return null;
        }
    }

    private static URI readable(URI uri) {
        return unix(uri) ? uri : URI.create(RedisEndpoint.encode(uri.toString()));
    }

    /** Returns whether a URI has a host. {@link URI} does not recognise one whose name contains an underscore. */
    private static boolean hasHost(URI uri) {
        return uri.getHost() != null || uri.getRawAuthority() != null && UNDERSCORED.matcher(uri.getRawAuthority()).matches();
    }

    /** Returns whether the port, and the database in the path, can be read. */
    private static boolean hasValidNumbers(URI uri) {
        var path = uri.getPath() == null ? "" : uri.getPath();
        return uri.getPort() <= MAX_PORT && (path.length() <= 1 || number(path.substring(1), MAX_DATABASE));
    }

    /** Returns whether a URI addresses a Unix domain socket: {@code unix:///path/of/socket?db=2}. */
    private static boolean unix(URI uri) {
        return UNIX.equals(uri.getScheme()) && uri.getHost() == null && uri.getPath() != null && uri.getPath().length() > 1;
    }

    void validate(@Observes ConfigProblems problems, Vertx vertx) {
        boolean unixSockets = ((VertxInternal) vertx).transport().supportsDomainSockets();
        for (var host : settings.hosts().orElse(List.of())) {
            var uri = uri(host.strip());
            if (uri == null) {
                problems.add("REDIS_HOSTS", "(not shown)", "redis://[user:password@]host:port[/db], rediss://…, or"
                        + " unix:///path/of/socket[?db=number], separated by commas");
            } else if (settings.tls() && "redis".equals(uri.getScheme())) {
                problems.add("REDIS_HOSTS", "(not shown)",
                        "rediss:// instead of redis://, because REDIS_TLS=true; or unset REDIS_TLS,"
                                + " and the connection is not encrypted");
            } else if (unix(uri) && !"standalone".equalsIgnoreCase(clientType)) {
                problems.add("REDIS_HOSTS", "unix://" + uri.getPath(), "unix:// with REDIS_CLIENT_TYPE=standalone only, not "
                        + clientType + ": the other types find their servers by host and port");
            } else if (unix(uri) && !unixSockets) {
                problems.add("REDIS_HOSTS", "unix://" + uri.getPath(), "unix:// with quarkus.vertx.prefer-native-transport=true"
                        + " on a JVM; without it, redis://host:port");
            }
        }
        if (replaced) {
            problems.add("quarkus.redis.rate-limit.hosts", "(not shown)", "not in the service: set REDIS_HOSTS instead");
        }
        if (!settings.port().contains("://") && (!number(settings.port(), MAX_PORT) || number(settings.port(), 0))) {
            problems.add("REDIS_PORT", settings.port(), "1 to 65535");
        }
        if (!number(settings.db(), MAX_DATABASE)) {
            problems.add("REDIS_DB", settings.db(), "a database number");
        }
        if (uri("redis://" + host() + ":1") == null || host().matches(".*[@/?#].*")) {
            problems.add("REDIS_HOST", settings.host().matches(".*[@/].*") ? "(not shown)" : settings.host(),
                    "a host name or address; a URL goes into REDIS_HOSTS, a password into REDIS_PASSWORD");
        }
    }
}
