# frozen_string_literal: true

module Auth
  # Rows 1, 2 and 3: sign-up on the web, the form, and the change of address.
  class RegistrationsController < Devise::RegistrationsController
    before_action :permit_sign_up, only: :create
    before_action :permit_update, only: :update

    def new
      build_resource(invite_code: params[:invite_code])
      resource.build_account
      respond_with resource
    end

    def create
      super { |user| activate_session(user) if user.persisted? }
    end

    protected

    def build_resource(hash = {})
      super
      resource.sign_up_ip = request.remote_ip
      resource.via = 'web'
    end

    def permit_sign_up
      devise_parameter_sanitizer.permit(:sign_up) do |user|
        user.permit({ account_attributes: %i[username display_name], invite_request_attributes: [:text] },
                    :email, :password, :password_confirmation, :invite_code, :agreement, :website, :confirm_password)
      end
    end

    def permit_update
      devise_parameter_sanitizer.permit(:account_update) { |user| user.permit(:email, :password, :password_confirmation, :current_password) }
    end

    def after_sign_up_path_for(_resource) = auth_setup_path
    def after_inactive_sign_up_path_for(_resource) = new_user_session_path
    def after_update_path_for(_resource) = edit_user_registration_path
  end
end
