package dev.sluice.service.log;

import java.util.List;
import java.util.concurrent.TimeUnit;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import dev.sluice.identity.ClientAddressResolver;
import dev.sluice.service.config.ServiceConfig;
import io.vertx.ext.web.RoutingContext;

/**
 * Audit log: one line for each call of an administrative endpoint, in the category {@value #CATEGORY}. Contains no token, nor a hash
 * of one, from which a weak one could be guessed. Lines of calls that were refused are limited to {@value #MAX_REFUSED} a minute, so
 * that clients without a token cannot fill the log; the next line then says how many are missing. Thread-safe.
 */
@Singleton
public class AuditLog {

    static final String CATEGORY = "dev.sluice.audit";
    static final int MAX_REFUSED = 60;

    private static final Logger LOG = Logger.getLogger(CATEGORY);
    private static final long MINUTE_NANOS = TimeUnit.MINUTES.toNanos(1);
    /** Query parameters that say what was read or changed. Others are not logged: they may be anything. */
    private static final List<String> PARAMETERS = List.of("identifier", "resource", "all", "window_seconds", "hours",
            "user", "team", "org", "disabled", "prefix", "limit", "cascade", "mode");

    private final boolean enabled;
    private final ClientAddressResolver addresses;
    private final LogLineWriter writer;
    private final RefusedLines refused = new RefusedLines(MAX_REFUSED, MINUTE_NANOS);

    AuditLog(ServiceConfig settings, ClientAddressResolver addresses, LogLineWriter writer) {
        this.enabled = settings.auditLog();
        this.addresses = addresses;
        this.writer = writer;
    }

    /**
     * Logs a call of an administrative endpoint when its response has ended.
     *
     * @param credential kind of the credential that the request carries: {@code admin-token}
     * @param token name of the admin token, if it has a scope; otherwise null
     * @param authorized whether it may use the endpoint
     */
    public void onAdminCall(RoutingContext call, String credential, String token, boolean authorized) {
        if (enabled && LOG.isInfoEnabled()) {
            call.addEndHandler(end -> write(call, credential, token, authorized, end.failed()));
        }
    }

    private void write(RoutingContext call, String credential, String token, boolean authorized, boolean aborted) {
        long missing = refused.takeSuppressed(authorized, System.nanoTime());
        if (missing < 0) {
            return;
        }
        var request = call.request();
        int status = call.response().getStatusCode();
        var fields = new LogFields().add("credential", credential).add("token", token).addClient(addresses, request)
                .add("method", request.method().name()).add("path", request.path());
        for (var parameter : PARAMETERS) {
            var values = call.queryParam(parameter);
            fields.add(parameter, values.isEmpty() ? null : String.join(",", values));
        }
        fields.add("status", status).add("outcome", outcome(authorized, status, aborted)).addRequestId(request);
        if (missing > 0) {
            fields.add("refusedNotLogged", missing);
        }
        writer.writeAudit(LOG, LogFields.withoutKeys(request.method().name() + ' ' + request.path() + ' ' + status), fields);
    }

    private static String outcome(boolean authorized, int status, boolean aborted) {
        if (!authorized) {
            return "refused";
        } else if (status >= 400) {
            return "failed";
        }
        return aborted ? "unknown" : "ok";
    }
}
