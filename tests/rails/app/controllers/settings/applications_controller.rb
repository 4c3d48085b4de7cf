# frozen_string_literal: true

module Settings
  # Rows 11 and 12: apps owned by a person. Showing one mints its token.
  class ApplicationsController < ApplicationController
    before_action :authenticate_user!
    before_action :find, only: %i[show update destroy regenerate]

    def index
      @applications = owned
    end

    def new
      @application = Doorkeeper::Application.new(redirect_uri: 'urn:ietf:wg:oauth:2.0:oob', scopes: 'read write follow')
    end

    def create
      @application = owned.new(application_params)
      if @application.save
        redirect_to settings_applications_path
      else
        render :new
      end
    end

    def show
      @token = current_user.token_for_app(@application)
    end

    def update
      if @application.update(application_params)
        redirect_to settings_applications_path
      else
        render :show
      end
    end

    def destroy
      @application.destroy
      redirect_to settings_applications_path
    end

    def regenerate
      Doorkeeper::AccessToken.where(application_id: @application.id, resource_owner_id: current_user.id).update_all(revoked_at: Time.now.utc)
      redirect_to settings_application_path(@application)
    end

    private

    def owned = Doorkeeper::Application.where(owner_type: 'User', owner_id: current_user.id)

    def find
      @application = owned.find(params[:id])
    end

    def application_params
      permitted = params.require(:doorkeeper_application).permit(:name, :redirect_uri, :scopes, :website, scopes: [])
      permitted[:scopes] = permitted[:scopes].join(' ') if permitted[:scopes].is_a?(Array)
      permitted
    end
  end
end
