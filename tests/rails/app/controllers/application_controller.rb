# frozen_string_literal: true

# Pages for people. Statuses and shapes of faults as Mastodon shows them.
class ApplicationController < ActionController::Base
  protect_from_forgery with: :exception
  layout 'application'

  rescue_from ActionController::InvalidAuthenticityToken, with: :unprocessable
  rescue_from ActionController::ParameterMissing, with: :bad_request
  rescue_from ActiveRecord::RecordNotFound, ActionController::RoutingError, with: :not_found
  rescue_from ActionController::UnknownFormat, with: :not_acceptable

  skip_before_action :verify_authenticity_token, only: :raise_not_found

  def raise_not_found
    not_found
  end

  private

  def unprocessable = fault(422, 'Unprocessable Entity')
  def not_found = fault(404, 'Not Found')
  def not_acceptable = fault(406, 'Not Acceptable')

  def bad_request
    head :bad_request
  end

  def fault(status, title)
    if request.format&.json? || request.path.start_with?('/api/')
      render json: { error: title }, status: status
    else
      render html: "<!DOCTYPE html><title>#{title}</title><p>#{title}</p>".html_safe, status: status, layout: false, formats: [:html], content_type: 'text/html'
    end
  end

  # A web session owns a token of the app "Web" and a cookie of its own.
  def activate_session(user)
    cookies.signed['_session_id'] = { value: SecureRandom.hex(16), expires: 1.year.from_now, httponly: true, same_site: :lax }
    Doorkeeper::AccessToken.create!(application_id: Doorkeeper::Application.web.id, resource_owner_id: user.id, scopes: 'read write follow')
  end
end
