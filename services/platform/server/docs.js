// Swagger UI over the contract that the page names.
SwaggerUIBundle({
  url: document.getElementById('swagger-ui').dataset.contract,
  dom_id: '#swagger-ui',
  deepLinking: true,
  defaultModelsExpandDepth: -1,
  validatorUrl: null, // by default it asks one on the internet
});
