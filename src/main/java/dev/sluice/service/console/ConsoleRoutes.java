package dev.sluice.service.console;

import java.util.HashMap;
import java.util.Map;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.http.ErrorResponse;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.service.edge.ServiceErrors;
import dev.sluice.service.token.AdminTokens;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/**
 * Serves the console: static files, from memory. Redirects a browser's request for {@code /} to it if there is no upstream. The
 * content security policy permits the console's own scripts and styles only, and no request to another origin.
 */
@ApplicationScoped
public class ConsoleRoutes {

    /** Path of the console. */
    public static final String PATH = "/q/console/";

    private static final String FOLDER = PATH.substring(0, PATH.length() - 1);
    /** Information for a page before a token is entered. */
    private static final String STATE = "state.json";
    /** After authentication (-200) and authorization (-100) of Quarkus, before the gateway (-50). */
    private static final int ORDER = -60;
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
            + " connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    private static final String REVALIDATE = "no-cache";

    private final boolean enabled;
    private final boolean upstream;
    private final boolean administered;
    private final Map<String, ConsoleFile> files = new HashMap<>();

    ConsoleRoutes(ConsoleConfig config, ServiceConfig service, AdminTokens tokens) {
        this.enabled = config.enabled();
        this.upstream = service.upstream().url().filter(url -> !url.isBlank()).isPresent();
        this.administered = !tokens.isEmpty();
    }

    /** Returns whether the console is served. */
    public boolean isEnabled() {
        return enabled;
    }

    void register(@Observes Router router) {
        if (!enabled) {
            return;
        }
        ConsoleFile.NAMES.forEach(name -> files.put(name, ConsoleFile.read(name)));
        files.put("", files.get(ConsoleFile.INDEX));
        router.route(FOLDER + "*").order(ORDER).handler(this::serve);
        if (!upstream) {
            router.route("/").order(ORDER).handler(this::redirectBrowser);
        }
    }

    private void serve(RoutingContext context) {
        var path = context.normalizedPath();
        if (path.equals(FOLDER)) {
            redirect(context, "console/");
        } else if (!path.startsWith(PATH)) {
            context.next(); // another name that begins alike
        } else if (context.request().method() != HttpMethod.GET && context.request().method() != HttpMethod.HEAD) {
            context.response().putHeader(HttpHeaders.ALLOW, "GET, HEAD");
            ServiceErrors.forStatus(405).send(context);
        } else {
            send(context, path.substring(PATH.length()));
        }
    }

    private void send(RoutingContext context, String name) {
        var response = context.response();
        var file = files.get(name);
        if (name.equals(STATE)) {
            response.putHeader(HttpHeaders.CONTENT_TYPE, ErrorResponse.JSON);
            end(context, new JsonObject().put("admin_token", administered).put("upstream", upstream).toBuffer());
            return;
        }
        if (file == null) {
            ErrorResponse.notFound().send(context);
            return;
        }
        response.putHeader(HttpHeaders.CACHE_CONTROL, REVALIDATE).putHeader(HttpHeaders.ETAG, file.etag())
                .putHeader("Content-Security-Policy", POLICY).putHeader("Referrer-Policy", "no-referrer")
                .putHeader("Cross-Origin-Opener-Policy", "same-origin");
        if (file.etag().equals(context.request().getHeader(HttpHeaders.IF_NONE_MATCH))) {
            response.setStatusCode(304).end();
        } else {
            response.putHeader(HttpHeaders.CONTENT_TYPE, file.contentType());
            end(context, file.content());
        }
    }

    private static void end(RoutingContext context, Buffer body) {
        if (context.request().method() == HttpMethod.HEAD) {
            context.response().putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(body.length())).end();
        } else {
            context.response().end(body);
        }
    }

    private void redirectBrowser(RoutingContext context) {
        var method = context.request().method();
        if ((method == HttpMethod.GET || method == HttpMethod.HEAD) && acceptsHtml(context)) {
            context.response().putHeader(HttpHeaders.VARY, HttpHeaders.ACCEPT);
            redirect(context, "q/console/");
        } else {
            context.next();
        }
    }

    /** Requires that the type is named: other clients accept everything. */
    private static boolean acceptsHtml(RoutingContext context) {
        return context.parsedHeaders().accept().stream()
                .anyMatch(accepted -> accepted.weight() > 0 && "text/html".equalsIgnoreCase(accepted.value()));
    }

    /** @param location relative to the path of the request, so that it is right behind a proxy that removes a prefix too */
    private static void redirect(RoutingContext context, String location) {
        context.response().setStatusCode(302).putHeader(HttpHeaders.LOCATION, location).end();
    }
}
