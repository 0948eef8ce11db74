package dev.sluice.service.api.identities;

import jakarta.ws.rs.Path;

import dev.sluice.directory.IdentityKind;
import dev.sluice.http.ServiceEndpoint;
import dev.sluice.service.api.EndpointAuthorization;

/** Admin endpoints of organisations. */
@ServiceEndpoint
@Path("/v1/orgs")
public class OrgsResource extends NamedIdentities {

    OrgsResource(IdentityEndpoint endpoint, EndpointAuthorization authorization) {
        super(IdentityKind.ORG, endpoint, authorization);
    }
}
