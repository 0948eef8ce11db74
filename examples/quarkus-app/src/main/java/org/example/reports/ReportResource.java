package org.example.reports;

import dev.sluice.api.RateLimited;


import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;

import io.smallrye.mutiny.Uni;

@Path("/reports")
public class ReportResource {

    private final ReportWriter writer;

    ReportResource(ReportWriter writer) {
        this.writer = writer;
    }

    /** Limited by the row of {@code application.properties}. */
    @GET
    public String list() {
        return "all reports";
    }

    /** Limited by the row and by the annotation, in one decision. */
    @POST
    @Path("/{id}")
    @RateLimited("${reports.limit}")
    public Uni<String> create(String id) {
        return Uni.createFrom().item("created");
    }

    /** Limited where the work is done. */
    @GET
    @Path("/yearly")
    public String yearly() {
        return writer.yearly();
    }

    /** For whom the application's own security lets in. */
    @GET
    @Path("/secret")
    @RolesAllowed("auditor")
    public String secret() {
        return "secret";
    }
}
