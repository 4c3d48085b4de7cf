# frozen_string_literal: true

module Api
  # The REST API: tokens instead of sessions, faults as JSON.
  class BaseController < ApplicationController
    protect_from_forgery with: :null_session
    before_action { response.headers['X-RateLimit-Limit'] = '300' }

    rescue_from ActiveRecord::RecordInvalid do |e|
      render json: { error: e.to_s }, status: :unprocessable_entity
    end

    protected

    # Mastodon's texts for Doorkeeper's two refusals.
    def doorkeeper_unauthorized_render_options(error: nil)
      { json: { error: error.try(:description) || 'Not authorized' } }
    end

    def doorkeeper_forbidden_render_options(*)
      { json: { error: 'This action is outside the authorized scopes' } }
    end

    def current_user
      @current_user ||= User.find_by(id: doorkeeper_token.resource_owner_id) if doorkeeper_token&.resource_owner_id
    end

    def require_user!
      if current_user.nil?
        render json: { error: 'This method requires an authenticated user' }, status: :unprocessable_entity
      elsif !current_user.confirmed?
        render json: { error: 'Your login is missing a confirmed e-mail address' }, status: :forbidden
      end
    end

    def public_url
      Rails.configuration.x.public_url || request.base_url
    end
  end
end
