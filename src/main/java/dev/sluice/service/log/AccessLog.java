package dev.sluice.service.log;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import dev.sluice.identity.ClientAddressResolver;

/**
 * Access log: one line for each request, in the category {@value #CATEGORY}. Contains no query, header or token: a query may carry
 * a key. Quarkus's own access log knows neither decisions nor fields of JSON, and its default pattern contains the query.
 */
@Singleton
class AccessLog {

    static final String CATEGORY = "dev.sluice.access";

    private static final Logger LOG = Logger.getLogger(CATEGORY);

    private final ClientAddressResolver addresses;
    private final LogLineWriter writer;

    AccessLog(ClientAddressResolver addresses, LogLineWriter writer) {
        this.addresses = addresses;
        this.writer = writer;
    }

    /** Writes the line of a request that is complete. */
    void write(RequestRecord record) {
        if (!LOG.isInfoEnabled()) {
            return;
        }
        var request = record.request();
        var response = request.response();
        var method = request.method().name();
        var fields = new LogFields().addClient(addresses, request).add("method", method).add("path", request.path())
                .add("status", response.getStatusCode()).add("grpcStatus", record.grpcStatus())
                .add("bytes", response.bytesWritten())
                .addMillis("ms", System.nanoTime() - record.startNanos());
        if (record.isAborted()) {
            fields.add("aborted", "true");
        }
        var limit = record.limit();
        if (limit != null) {
            fields.add("decision", limit.outcome().value()).add("rule", limit.rule()).add("identifier", limit.identifier())
                    .add("tier", limit.tier()).add("store", limit.store());
        }
        if (record.upstreamNanos() >= 0) {
            fields.add("upstream", record.upstream()).addMillis("upstreamMs", record.upstreamNanos());
        }
        addModelCall(fields, record);
        fields.addRequestId(request).add("traceId", record.traceId());
        writer.writeAccess(LOG, method + ' ' + response.getStatusCode(), fields);
    }

    private static void addModelCall(LogFields fields, RequestRecord record) {
        if (record.modelCall() != null) {
            fields.add("model", record.modelCall().model());
        }
        var usage = record.modelUsage();
        if (usage != null) {
            fields.add("inputTokens", usage.inputTokens()).add("outputTokens", usage.outputTokens());
        }
    }
}
