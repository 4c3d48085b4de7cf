# frozen_string_literal: true

module Api
  module V1
    # Row 10: an app, made by anybody.
    class AppsController < Api::BaseController
      skip_before_action :verify_authenticity_token

      def create
        app = Doorkeeper::Application.create!(name: app_params[:client_name], redirect_uri: redirect_uri, website: app_params[:website],
                                              scopes: app_params[:scopes].presence || Doorkeeper.configuration.default_scopes.to_s)
        render json: { id: app.id.to_s, name: app.name, website: app.website, scopes: app.scopes.to_a, redirect_uris: app.redirect_uri.split,
                       redirect_uri: app.redirect_uri, client_id: app.uid, client_secret: app.secret, client_secret_expires_at: 0, vapid_key: 'BH4JTldaDvClQrxK4u7HlLv3' }
      end

      private

      def app_params
        params.permit(:client_name, :scopes, :website, :redirect_uris, redirect_uris: [])
      end

      def redirect_uri
        uris = app_params[:redirect_uris]
        uris.is_a?(Array) ? uris.join("\n") : uris
      end
    end
  end
end
