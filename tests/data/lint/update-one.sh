zenml artifact-store update alibaba_store --config_kwargs='{"signature_version": "s3"}'
